package exec

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

// What OpenSIPS had until 2.4 in the place of exec(): functions for each use of a
// command's output.

// maxLines bounds the lines of an output that are used.
const maxLines = 64

func (m *module) older() []script.Function {
	text, names := script.TextArg, script.NamesArg
	return []script.Function{
		{
			Name: "exec_msg", Usage: `exec_msg("command")`, Help: "Runs a command that gets the message as its input, as of before OpenSIPS 3. -1: it failed.", Async: true,
			Args: []script.ArgKind{text}, Min: 1, Routes: script.Messages, Build: m.onMessage,
		},
		{
			Name: "exec_dset", Usage: `exec_dset("command")`, Help: "Runs a command with the Request-URI as its argument: the first line that it writes is the Request-URI, the others are branches, as of before OpenSIPS 3. -1: it failed, or wrote none.", Async: true,
			Args: []script.ArgKind{text}, Min: 1, Routes: script.Requests, Build: m.destinations,
		},
		{
			Name: "exec_avp", Usage: `exec_avp("command"[, "$avp(a);$avp(b)"])`, Help: "Runs a command and puts each line that it writes into an AVP, without a list into $avp(1), $avp(2)... as of before OpenSIPS 3. -1: it failed.", Async: true,
			Args: []script.ArgKind{text, names}, Min: 1, Routes: script.Anywhere, Build: m.toAVPs,
		},
		{
			Name: "exec_getenv", Usage: `exec_getenv("NAME"[, "$avp(a)"])`, Help: "Puts a variable of the program's environment into an AVP, without one into $avp(1). -1: there is none.",
			Args: []script.ArgKind{text, names}, Min: 1, Routes: script.Anywhere, Build: getenv,
		},
	}
}

// await runs a command to its end and gives what it wrote; false where it failed, which is
// logged.
func (m *module) await(x *script.Machine, at *script.Site, c *command) (out []byte, ok bool) {
	if m.setVars && x.HasMessage() {
		c.env = append(c.env, variables(x)...)
	}
	var err error
	if !x.Wait(func() { out, _, err = m.run(c) }) {
		x.Say(at, script.LevelWarn, "exec: too many messages wait")
		return nil, false
	}
	if err != nil {
		x.Say(at, script.LevelError, "exec: the command failed", "error", err)
	}
	return out, err == nil
}

// commandLine reads the command; false: it is none.
func commandLine(x *script.Machine, get func(*script.Machine) ([]byte, bool), at *script.Site) (string, bool) {
	b, ok := get(x)
	if !ok || len(b) == 0 || bytes.IndexByte(b, 0) >= 0 {
		x.Fail(at, "the command is empty, or has a byte of 0")
		return "", false
	}
	return string(b), true
}

func (m *module) onMessage(a *script.Args) script.Action {
	if !m.allowed(a) {
		return nil
	}
	line, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		l, ok := commandLine(x, line, at)
		if !ok {
			return -1
		}
		_, ok = m.await(x, at, &command{line: l, stdin: bytes.Clone(x.Context().Received())})
		return script.Yes(ok)
	}
}

func (m *module) destinations(a *script.Args) script.Action {
	if !m.allowed(a) {
		return nil
	}
	line, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		l, ok := commandLine(x, line, at)
		if !ok {
			return -1
		}
		c := x.Context()
		out, ok := m.await(x, at, &command{line: l + " " + quoted(string(c.RequestURI()))})
		if !ok {
			return -1
		}
		taken := 0
		for _, uri := range lines(out) {
			var err error
			if taken == 0 {
				err = c.SetRequestURI([]byte(uri))
			} else {
				_, err = c.AppendBranch([]byte(uri), false)
			}
			if err != nil {
				x.Say(at, script.LevelError, "exec: a line of the command is no destination", "line", uri, "error", err)
				continue
			}
			taken++
		}
		return script.Yes(taken > 0)
	}
}

func (m *module) toAVPs(a *script.Args) script.Action {
	if !m.allowed(a) {
		return nil
	}
	setters, ok := settersOf(a, 1)
	if !ok {
		return nil
	}
	line, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		l, ok := commandLine(x, line, at)
		if !ok {
			return -1
		}
		out, ok := m.await(x, at, &command{line: l})
		if !ok {
			return -1
		}
		for i, text := range lines(out) {
			v := script.Text(x.KeepString(text))
			switch {
			case setters == nil:
				x.PutAVP(strconv.Itoa(i+1), v)
			case i < len(setters):
				setters[i](x, v)
			}
		}
		return 1
	}
}

func getenv(a *script.Args) script.Action {
	setters, ok := settersOf(a, 1)
	if !ok {
		return nil
	}
	name := a.Text(0)
	return func(x *script.Machine) int {
		b, _ := name(x)
		value, ok := os.LookupEnv(string(b))
		if !ok {
			return -1
		}
		v := script.Text(x.KeepString(value))
		if setters == nil {
			x.PutAVP("1", v)
			return 1
		}
		setters[0](x, v)
		return 1
	}
}

// settersOf reads a list of variables, joined by semicolons; nil without one. False after
// an error.
func settersOf(a *script.Args, i int) (list []script.Setter, ok bool) {
	if !a.Given(i) {
		return nil, true
	}
	v := a.Literal(i)
	for name := range strings.SplitSeq(v.Text, ";") {
		one := v
		if one.Text = strings.TrimSpace(name); one.Text == "" {
			continue
		}
		set := a.Loading().Setter(one)
		if set == nil {
			return nil, false
		}
		list = append(list, set)
	}
	if len(list) == 0 {
		a.Errorf(i, "%s() takes variables, joined by ;", a.Name())
	}
	return list, len(list) > 0
}

// lines are those of an output that are not empty.
func lines(b []byte) (list []string) {
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && len(list) < maxLines {
			list = append(list, line)
		}
	}
	return list
}

// quoted makes one word of the shell's of a text that a peer has sent: nothing in it means
// anything there.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
