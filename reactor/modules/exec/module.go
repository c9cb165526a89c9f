package exec

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"

	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
)

type module struct {
	*runner
	allow, setVars bool
	log            *slog.Logger
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{runner: newRunner(), log: slog.Default()}
	return &script.Module{
		Name: "exec",
		Help: "Runs commands by /bin/sh, where the operator allows it.",
		Parameters: []script.Parameter{
			{Name: "allow", Type: script.BoolParam, Default: "0", Help: "Allows the script to run commands; without it exec() is an error at load.", Set: script.Into(&m.allow)},
			{Name: "setvars", Type: script.BoolParam, Default: "0", Help: "Gives commands the request in environment variables.", Set: script.Into(&m.setVars)},
			{Name: "time_to_kill", Type: script.IntParam, Min: 0, Max: 3600, Unit: "seconds", Default: "30", Help: "How long a command may take; 0 is 30.", Set: func(v script.Literal) error {
				if v.Int == 0 {
					return nil
				}
				return script.Seconds(&m.longest)(v)
			}},
		},
		Functions: append(m.older(), script.Function{
			Name: "exec", Usage: `exec("command"[, "input"][, $var(output)][, $var(errors)][, $avp(environment)])`, Async: true,
			Help: "Runs a command and waits for it if its output is wanted: 1, or -1 where it failed.",
			Args: []script.ArgKind{script.TextArg, script.TextArg, script.SetArg, script.SetArg, script.AVPArg}, Min: 1, Routes: script.Anywhere, Build: m.build,
		}),
		Start: func(e *script.Env) error { m.log = e.Log; return nil },
	}
}

func (m *module) build(a *script.Args) script.Action {
	if !m.allowed(a) {
		return nil
	}
	line, input, out, errs, env, at := a.Text(0), a.Text(1), a.Setter(2), a.Setter(3), a.AVP(4), a.Site()
	return func(x *script.Machine) int {
		l, ok := line(x)
		if !ok || bytes.IndexByte(l, 0) >= 0 {
			return x.Fail(at, "the command is NULL, or has a byte of 0")
		}
		in, _ := input(x)
		c := &command{line: string(l), stdin: bytes.Clone(in)}
		if env != nil {
			for i := range env.Len(x) {
				c.env = append(c.env, variable(fmt.Sprintf("OSIPS_EXEC_%d", i), x.Text(env.Get(x, i))))
			}
		}
		if m.setVars && x.HasMessage() {
			c.env = append(c.env, variables(x)...)
		}
		if out == nil && errs == nil { // nobody waits for it
			rescue.Go(m.log, "exec: a command", func() {
				if _, _, err := m.run(c); err != nil {
					m.log.Warn("exec: a command failed", "error", err)
				}
			})
			return 1
		}
		var stdout, stderr []byte
		var err error
		if !x.Wait(func() { stdout, stderr, err = m.run(c) }) {
			x.Say(at, script.LevelWarn, "exec: too many messages wait")
			return -1
		}
		set(x, out, stdout)
		set(x, errs, stderr)
		if err != nil {
			x.Say(at, script.LevelError, "exec: the command failed", "error", err)
			return -1
		}
		return 1
	}
}

// allowed reports whether the operator lets the script run commands, with an error if not.
func (m *module) allowed(a *script.Args) bool {
	if !m.allow {
		a.Errorf(-1, `%s() runs commands on this machine, which nothing allows: modparam("exec", "allow", 1)`, a.Name())
	}
	return m.allow
}

// set gives a variable what a command has written, without the last line end.
func set(x *script.Machine, to script.Setter, b []byte) {
	if to == nil {
		return
	}
	b = bytes.TrimSuffix(b, []byte{'\n'})
	if len(b) == 0 {
		to(x, script.Value{})
		return
	}
	to(x, script.Text(x.Keep(b)))
}

// variable makes an environment variable; what cannot stand in one becomes a space.
func variable(name string, value []byte) string {
	return name + "=" + strings.ReplaceAll(string(value), "\x00", " ")
}

// variables are the request for a command: SIP_RURI, SIP_HF_CALL_ID and others.
func variables(x *script.Machine) (list []string) {
	c, msg := x.Context(), x.Message()
	list = append(list, variable("SIP_SRCIP", []byte(c.Src.Remote.Addr().Unmap().String())), variable("SIP_ORURI", msg.RequestURI()), variable("SIP_RURI", c.RequestURI()))
	if u, err := msg.URI(); err == nil {
		list = append(list, variable("SIP_OUSER", u.User.In(msg.RequestURI())))
	}
	if to, err := msg.To(); err == nil {
		list = append(list, variable("SIP_DID", to.Tag.In(msg.Raw())))
	}
	values := make(map[string][]byte)
	var names []string
	for i := range msg.NumHeaders() {
		h := msg.Header(i)
		name := envName(string(msg.Bytes(h.Name)))
		if old, ok := values[name]; ok {
			values[name] = append(append(bytes.Clone(old), ", "...), msg.Bytes(h.Value)...)
			continue
		}
		names = append(names, name)
		values[name] = msg.Bytes(h.Value)
	}
	for _, name := range names {
		list = append(list, variable(name, values[name]))
	}
	return list
}
