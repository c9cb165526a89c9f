package ratelimit

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

type module struct {
	*pipes
	algo    algorithm // default_algorithm
	systems bool      // an algorithm that goes by the system is used
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{pipes: newPipes()}
	text, number := script.TextArg, script.IntArg
	return &script.Module{
		Name:     "ratelimit",
		Help:     "Lets so many messages through in a time.",
		Instance: m,
		Parameters: []script.Parameter{
			{Name: "timer_interval", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "10", Help: "The interval in which pipes count.", Set: script.Seconds(&m.interval)},
			{Name: "limit_per_interval", Type: script.BoolParam, Default: "0", Help: "Has limits be those of an interval and not of a second.", Set: script.Into(&m.perInterval)},
			{Name: "expire_time", Type: script.IntParam, Min: 1, Max: 1 << 30, Unit: "seconds", Default: "3600", Help: "How long a pipe that nobody uses is kept.", Set: script.Seconds(&m.idle)},
			{Name: "hash_size", Type: script.IntParam, Default: "1024", Help: "The size of the table of pipes.", Note: "the table grows as it needs"},
			{Name: "default_algorithm", Type: script.StringParam, Default: "TAILDROP", Help: "The algorithm of pipes that name none.", Set: func(v script.Literal) error {
				a, ok := algorithms[v.Text]
				if !ok {
					return errAlgorithm
				}
				m.algo = a
				m.systems = m.systems || a == network || a == feedback
				return nil
			}},
			{Name: "window_size", Type: script.IntParam, Min: 1, Max: 3600, Unit: "seconds", Default: "10", Help: "How long SBT looks back.", Set: script.Seconds(&m.window)},
			{Name: "slot_period", Type: script.IntParam, Min: 1, Max: 3600000, Unit: "milliseconds", Default: "200", Help: "How long a slot of SBT is.", Set: script.Milliseconds(&m.slot)},
			{Name: "db_prefix", Type: script.StringParam, Default: "rl_pipe_", Help: "What stands before a pipe's name on such a server.", Note: noReplication},
			{Name: "pipe_replication_cluster", Type: script.IntParam, Default: "0", Help: "The cluster that pipes are replicated in.", Set: func(v script.Literal) error {
				if v.Int != 0 {
					return errors.New("is not supported: " + noReplication)
				}
				return nil
			}},
			{Name: "repl_buffer_threshold", Type: script.IntParam, Help: "The size of a replication packet.", Note: noReplication},
			{Name: "repl_timer_interval", Type: script.IntParam, Help: "How often pipes are replicated.", Note: noReplication},
			{Name: "repl_timer_expire", Type: script.IntParam, Help: "How long replicated values count.", Note: noReplication},
			{Name: "bridge_replication", Type: script.BoolParam, Help: "Replicates to other clusters.", Note: noReplication},
			{Name: "bridge_repl_timer_interval", Type: script.IntParam, Help: "How often that is.", Note: noReplication},
			{Name: "bridge_repl_timer_expire", Type: script.IntParam, Help: "How long such values count.", Note: noReplication},
		},
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "cachedb_url", Why: noReplication},
			{Kind: script.LacksCommand, Names: "rl_bin_status", Why: noReplication},
		},
		Functions: []script.Function{
			{Name: "rl_check", Usage: `rl_check("pipe", limit[, "algorithm"])`, Help: "Counts a message in a pipe and reports whether it passes.", Args: []script.ArgKind{text, number, text}, Min: 2, Routes: script.Anywhere, Build: m.buildCheck},
			{Name: "rl_dec_count", Usage: `rl_dec_count("pipe")`, Help: "Takes a message back that rl_check() has counted.", Args: []script.ArgKind{text}, Min: 1, Routes: script.Anywhere, Build: m.each((*pipe).decrease)},
			{Name: "rl_reset_count", Usage: `rl_reset_count("pipe")`, Help: "Has a pipe forget what it has counted.", Args: []script.ArgKind{text}, Min: 1, Routes: script.Anywhere, Build: m.each((*pipe).reset)},
			{Name: "rl_values", Usage: `rl_values($avp(names)[, "regular expression"])`, Help: "Lists the names of pipes.", Args: []script.ArgKind{script.AVPArg, script.RegexArg}, Min: 1, Routes: script.Anywhere, Build: m.values},
		},
		Variables: []script.Variable{{Name: "rl_count", Help: "What a pipe has counted.", Inner: script.AnyInner, Get: m.count}},
		Commands: []rpc.Command{
			{Name: "rl_list", Aliases: []string{"ratelimit:list"}, Help: "Lists pipes.", Params: []rpc.Param{{Name: "pipe", Optional: true}, {Name: "filter", Optional: true}, {Name: "filter_out", Optional: true}}, Func: m.listCommand},
			{Name: "rl_dump_pipe", Aliases: []string{"ratelimit:dump_pipe"}, Help: "Shows a pipe with its slots.", Params: []rpc.Param{{Name: "pipe"}}, Func: m.dumpCommand},
			{Name: "rl_reset_pipe", Aliases: []string{"ratelimit:reset_pipe"}, Help: "Has a pipe forget what it has counted.", Params: []rpc.Param{{Name: "pipe"}}, Func: m.resetCommand},
			{Name: "rl_set_pid", Aliases: []string{"ratelimit:set_pid"}, Help: "Sets the controller of the algorithm FEEDBACK.", Params: []rpc.Param{{Name: "ki"}, {Name: "kp"}, {Name: "kd"}}, Func: m.setPID},
			{Name: "rl_get_pid", Aliases: []string{"ratelimit:get_pid"}, Help: "Shows the controller of the algorithm FEEDBACK.", Func: m.getPID},
		},
		Statistics: []script.Statistic{
			{Name: "pipes", Help: "Pipes that there are.", Gauge: true, Value: func() uint64 { return uint64(len(m.names(nil))) }},
			{Name: "pipes_refused", Help: "Messages for whose pipe there was no room.", Count: &m.refused},
		},
		Check: m.checkParams,
		Start: func(e *script.Env) error {
			if old, ok := e.Previous.(*module); ok {
				m.take(old.pipes)
			}
			if e.Engine != nil {
				m.system.watch(e.Engine)
			}
			e.Every(m.interval, func(context.Context) {
				m.clean()
				if m.systems {
					m.system.look()
				}
			})
			return nil
		},
	}
}

const noReplication = "pipes are this server's own"

var errAlgorithm = errors.New("is TAILDROP, RED, SBT, NETWORK or FEEDBACK")

func (m *module) checkParams(l *script.Loading) {
	if m.slot > m.window {
		l.Errorf(l.Place("slot_period"), "slot_period is longer than window_size")
		m.slot = m.window
	}
	if m.window/m.slot > 100000 {
		l.Errorf(l.Place("slot_period"), "window_size has more than 100000 slots of slot_period")
		m.slot = m.window
	}
}

// take takes over the pipes of the configuration that is replaced.
func (s *pipes) take(o *pipes) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if o.settings != s.settings {
		return // what was counted means something else
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range o.list {
		s.list[name] = p
	}
	s.system = o.system
}

// withoutFlag cuts what stands behind a pipe's name to have it replicated.
func withoutFlag(name []byte) ([]byte, bool) {
	n := len(name)
	if n > 2 && name[n-2] == '/' && (name[n-1] == 's' || name[n-1] == 'b' || name[n-1] == 'r') {
		return name[:n-2], true
	}
	return name, false
}

func (m *module) buildCheck(a *script.Args) script.Action {
	algorithm := m.algorithm(a)
	if algorithm == nil {
		return nil
	}
	if s, ok := a.Fixed(0); ok {
		if _, flagged := withoutFlag([]byte(s)); flagged {
			a.Errorf(0, "the pipe %s is not replicated: %s", s, noReplication)
			return nil
		}
	}
	name, limit, at := a.Text(0), a.Int(1), a.Site()
	return func(x *script.Machine) int {
		b, ok := name(x)
		n, good := limit(x)
		if !ok || !good || n < 0 || n > 1<<31-1 {
			return x.Fail(at, "the pipe is NULL, or the limit no number")
		}
		algo, known := algorithm(x)
		if !known {
			return x.Fail(at, "the algorithm "+errAlgorithm.Error())
		}
		b, _ = withoutFlag(b)
		return script.Yes(m.check(b, int(n), algo))
	}
}

// algorithm returns what gives the algorithm of a call of rl_check(); nil for one that is none.
func (m *module) algorithm(a *script.Args) func(x *script.Machine) (algorithm, bool) {
	algo := m.algo
	if a.Given(2) {
		s, fixed := a.Fixed(2)
		if !fixed {
			m.systems = true
			name := a.Text(2)
			return func(x *script.Machine) (algorithm, bool) {
				s, _ := name(x)
				algo, known := algorithms[string(s)]
				return algo, known
			}
		}
		var known bool
		if algo, known = algorithms[s]; !known {
			a.Errorf(2, "the algorithm %v", errAlgorithm)
			return nil
		}
	}
	m.systems = m.systems || algo == network || algo == feedback
	return func(*script.Machine) (algorithm, bool) { return algo, true }
}

func (m *module) each(f func(p *pipe)) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		name := a.Text(0)
		return func(x *script.Machine) int {
			b, ok := name(x)
			return script.Yes(ok && m.with(b, f))
		}
	}
}

func (m *module) values(a *script.Args) script.Action {
	to, re, given := a.AVP(0), a.Regex(1), a.Given(1)
	return func(x *script.Machine) int {
		r := re(x)
		if given && r == nil {
			return -1
		}
		to.Clear(x)
		for _, name := range slices.Backward(m.names(r)) {
			if !to.Add(x, script.Text(x.KeepString(name))) {
				break
			}
		}
		return 1
	}
}

func (m *module) count(u *script.Use) script.Getter {
	name := u.Inner()
	if name == nil {
		return nil
	}
	return func(x *script.Machine, _ int) (v script.Value) {
		m.with(name(x), func(p *pipe) { v = script.Int(int64(p.counter)) })
		return v
	}
}

var errPipe = &rpc.Error{Code: rpc.CodeNotFound, Message: "Pipe Not Found"}

func (m *module) listCommand(_ context.Context, a *rpc.Args) (any, error) {
	switch {
	case a.Has("pipe"):
		one, ok := m.one(a.Text("pipe"), false)
		if !ok {
			return nil, errPipe
		}
		return map[string]any{"Pipes": []listed{one}}, nil
	case a.Has("filter_out"):
		return map[string]any{"Pipes": m.show(a.Text("filter_out"), true)}, nil
	default:
		return map[string]any{"Pipes": m.show(a.Text("filter"), false)}, nil
	}
}

func (m *module) dumpCommand(_ context.Context, a *rpc.Args) (any, error) {
	one, ok := m.one(a.Text("pipe"), true)
	if !ok {
		return nil, errPipe
	}
	return one, nil
}

func (m *module) resetCommand(_ context.Context, a *rpc.Args) (any, error) {
	if !m.with([]byte(a.Text("pipe")), (*pipe).reset) {
		return nil, errPipe
	}
	return "OK", nil
}

func (m *module) setPID(_ context.Context, a *rpc.Args) (any, error) {
	var values [3]float64
	for i, name := range []string{"ki", "kp", "kd"} {
		v, err := strconv.ParseFloat(a.Text(name), 64)
		if err != nil {
			return nil, &rpc.Error{Code: 400, Message: name + " is no number"}
		}
		values[i] = v
	}
	m.system.mu.Lock()
	defer m.system.mu.Unlock()
	m.system.control = pid{Ki: values[0], Kp: values[1], Kd: values[2]}
	return "OK", nil
}

func (m *module) getPID(context.Context, *rpc.Args) (any, error) {
	m.system.mu.Lock()
	defer m.system.mu.Unlock()
	return map[string]any{"PID": m.system.control}, nil
}
