package cfgutils

import (
	"context"
	"crypto/md5" //nolint:gosec // it names a file, as OpenSIPS does
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate/regular"
)

type module struct {
	initial     int64
	probability atomic.Int64
	hashFile    string
	hash        string
	poolSize    int
	shared      *shared

	static  map[string]lock
	dynamic *locks
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{initial: 10, poolSize: 32, shared: new(shared), static: make(map[string]lock)}
	return &script.Module{
		Name: "cfgutils", Help: "Chance, waiting, locks, variables that all messages share, and times.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "initial_probability", Type: script.IntParam, Min: 0, Max: 100, Unit: "percent", Default: "10", Help: "How often rand_event() is true.", Set: script.Into(&m.initial)},
			{Name: "hash_file", Type: script.StringParam, Help: "The file that check_config_hash looks at.", Set: func(v script.Literal) (err error) {
				m.hashFile = v.Text
				m.hash, err = hashOf(v.Text)
				return err
			}},
			{Name: "shvset", Type: script.StringParam, Help: `A value of $shv(name) to begin with: "name=i:number" or "name=s:text". It may be set many times.`, Set: func(v script.Literal) error {
				name, val, err := parseSet(v.Text)
				if err == nil {
					m.shared.set(name, val)
				}
				return err
			}},
			{Name: "shv_hash_size", Type: script.IntParam, Default: "64", Help: "The size of the table of such values.", Note: "the table grows as it needs"},
			{Name: "lock_pool_size", Type: script.IntParam, Min: 1, Max: 1 << 16, Unit: "locks", Default: "32", Help: "How many dynamic locks there are.", Set: script.Into(&m.poolSize)},
		},
		Functions: m.functions(), Variables: m.variables(), Commands: m.commands(),
		Lacks: []script.Lack{
			{Kind: script.LacksParameter, Names: "varset", Why: "each message has its own $var(name), which is NULL until it is set; shvset and $shv(name) keep a value"},
			{Kind: script.LacksFunction, Names: "abort", Why: "a script does not end the program"},
			{Kind: script.LacksFunction, Names: "set_select_weight", Why: "its code is an index, and 0 would end the script; $RANDOM and a comparison choose as well"},
		},
		Check: func(*script.Loading) { m.probability.Store(m.initial); m.dynamic = newLocks(m.poolSize) },
		Start: m.begin,
	}
}

// begin takes over what the configuration before had, but for what this one sets.
func (m *module) begin(e *script.Env) error {
	if before, ok := e.Previous.(*module); ok {
		before.shared.mu.RLock()
		defer before.shared.mu.RUnlock()
		for name, v := range before.shared.values {
			if !m.shared.has(name) {
				m.shared.set(name, v)
			}
		}
		for name, l := range before.static {
			if _, ok := m.static[name]; ok {
				m.static[name] = l
			}
		}
	}
	return nil
}

func hashOf(name string) (string, error) {
	b, err := regular.Read(name)
	if err != nil {
		return "", err
	}
	sum := md5.Sum(b) //nolint:gosec // see above
	return hex.EncodeToString(sum[:]), nil
}

func (m *module) functions() []script.Function {
	number, text, all := script.IntArg, script.TextArg, script.Anywhere
	debug := func(name, why string) script.Function {
		return script.Function{Name: name, Usage: name + "()", Help: "Not supported: " + why + ".", Routes: all, Build: func(a *script.Args) script.Action {
			a.Notef(-1, "%s() does nothing here: %s", name, why)
			return func(*script.Machine) int { return 1 }
		}}
	}
	return []script.Function{
		{Name: "rand_event", Usage: "rand_event([percent])", Help: "Is true as often as the probability says.", Args: []script.ArgKind{number}, Routes: all, Build: func(a *script.Args) script.Action {
			p := a.Int(0)
			return func(x *script.Machine) int {
				percent, ok := p(x)
				if !ok {
					percent = m.probability.Load()
				}
				return script.Yes(rand.Int64N(100) < percent)
			}
		}},
		{Name: "rand_set_prob", Usage: "rand_set_prob(percent)", Help: "Sets the probability.", Args: []script.ArgKind{number}, Min: 1, Routes: all, Build: func(a *script.Args) script.Action {
			p, at := a.Int(0), a.Site()
			return func(x *script.Machine) int {
				percent, ok := p(x)
				if !ok || percent < 0 || percent > 100 {
					return x.Fail(at, "the probability is 0 to 100")
				}
				m.probability.Store(percent)
				return 1
			}
		}},
		{Name: "rand_reset_prob", Usage: "rand_reset_prob()", Help: "Sets the probability of initial_probability again.", Routes: all, Build: func(*script.Args) script.Action {
			return func(*script.Machine) int { m.probability.Store(m.initial); return 1 }
		}},
		{Name: "rand_get_prob", Usage: "rand_get_prob()", Help: "The code is the probability.", Routes: all, Build: func(*script.Args) script.Action {
			return func(*script.Machine) int {
				if p := m.probability.Load(); p > 0 {
					return int(p)
				}
				return -1
			}
		}},
		{Name: "sleep", Usage: "sleep(seconds)", Help: "Waits; others take over the work meanwhile.", Args: []script.ArgKind{number}, Min: 1, Routes: all, Async: true, Build: wait(time.Second)},
		{Name: "usleep", Usage: "usleep(microseconds)", Help: "Waits; others take over the work meanwhile.", Args: []script.ArgKind{number}, Min: 1, Routes: all, Async: true, Build: wait(time.Microsecond)},
		debug("pkg_status", "memory is the runtime's"),
		debug("shm_status", "memory is the runtime's"),
		{Name: "set_count", Usage: "set_count($avp(values), $var(result))", Help: "Counts the values of an AVP.", Args: []script.ArgKind{script.AVPArg, script.SetArg}, Min: 2, Routes: all, Build: func(a *script.Args) script.Action {
			avp, set := a.AVP(0), a.Setter(1)
			return func(x *script.Machine) int { return set(x, script.Int(int64(avp.Len(x)))) }
		}},
		{Name: "get_count", Usage: "get_count($avp(values), $var(result))", Help: "Counts the values of an AVP.", Args: []script.ArgKind{script.AVPArg, script.SetArg}, Min: 2, Routes: all, Build: func(a *script.Args) script.Action {
			avp, set := a.AVP(0), a.Setter(1)
			return func(x *script.Machine) int { return set(x, script.Int(int64(avp.Len(x)))) }
		}},
		{Name: "shuffle_avps", Usage: "shuffle_avps($avp(values))", Help: "Puts the values of an AVP into an order by chance.", Args: []script.ArgKind{script.AVPArg}, Min: 1, Routes: all, Build: shuffle},
		{Name: "ts_usec_delta", Usage: "ts_usec_delta(sec1, usec1, sec2, usec2[, $var(text)][, $var(number)])", Help: "The microseconds between two times.",
			Args: []script.ArgKind{number, number, number, number, script.SetArg, script.SetArg}, Min: 5, Routes: all, Build: delta},
		{Name: "check_time_rec", Usage: `check_time_rec("recurrence"[, seconds])`, Help: "Whether a recurrence (RFC 2445) has the present, or another time.", Args: []script.ArgKind{text, number}, Min: 1, Routes: all, Build: checkTime},
		{Name: "get_accurate_time", Usage: "get_accurate_time($var(sec), $var(usec)[, $var(text)])", Help: "The time, in seconds and microseconds.", Args: []script.ArgKind{script.SetArg, script.SetArg, script.SetArg}, Min: 2, Routes: all, Build: accurate},
		{Name: "get_static_lock", Usage: `get_static_lock("name")`, Help: "Takes a lock, and waits for it.", Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: all, Build: m.getStatic},
		{Name: "release_static_lock", Usage: `release_static_lock("name")`, Help: "Gives a lock back.", Args: []script.ArgKind{script.FixedArg}, Min: 1, Routes: all, Build: func(a *script.Args) script.Action {
			l := m.lock(a)
			return func(*script.Machine) int { l.release(); return 1 }
		}},
		{Name: "get_dynamic_lock", Usage: `get_dynamic_lock("key")`, Help: "Takes the lock of a key, and waits for it.", Args: []script.ArgKind{text}, Min: 1, Routes: all, Build: func(a *script.Args) script.Action {
			key, at := a.Text(0), a.Site()
			return func(x *script.Machine) int {
				k, _ := key(x)
				return take(x, at, m.dynamic.of(k))
			}
		}},
		{Name: "release_dynamic_lock", Usage: `release_dynamic_lock("key")`, Help: "Gives the lock of a key back.", Args: []script.ArgKind{text}, Min: 1, Routes: all, Build: func(a *script.Args) script.Action {
			key := a.Text(0)
			return func(x *script.Machine) int {
				k, _ := key(x)
				m.dynamic.of(k).release()
				return 1
			}
		}},
		{Name: "strings_share_lock", Usage: `strings_share_lock("key", "key")`, Help: "Whether two keys have the same lock.", Args: []script.ArgKind{text, text}, Min: 2, Routes: all, Build: func(a *script.Args) script.Action {
			one, other := a.Text(0), a.Text(1)
			return func(x *script.Machine) int {
				k, _ := one(x)
				n := m.dynamic.index(k)
				k, _ = other(x)
				return script.Yes(n == m.dynamic.index(k))
			}
		}},
	}
}

// lock gives the static lock that a call names.
func (m *module) lock(a *script.Args) lock {
	name, _ := a.Fixed(0)
	l, ok := m.static[name]
	if !ok {
		l = newLock()
		m.static[name] = l
	}
	return l
}

func (m *module) getStatic(a *script.Args) script.Action {
	m.lock(a)
	name, _ := a.Fixed(0)
	at := a.Site()
	return func(x *script.Machine) int { return take(x, at, m.static[name]) }
}

func take(x *script.Machine, at *script.Site, l lock) int {
	if l.try() {
		return 1
	}
	got := false
	if !x.Wait(func() { got = l.take(longestLock) }) {
		return x.Fail(at, "too many messages wait")
	}
	if !got {
		return x.Fail(at, "the lock was not to be had")
	}
	return 1
}

func (m *module) variables() []script.Variable {
	return []script.Variable{
		{Name: "shv", Help: "A value that all messages share; 0 until something is assigned.", Inner: script.ConstInner, Free: true,
			Get: func(u *script.Use) script.Getter {
				name, _ := u.Fixed()
				return func(x *script.Machine, _ int) script.Value {
					v := m.shared.get(name)
					if v.isText {
						return script.Text(x.KeepString(v.text))
					}
					return script.Int(v.n)
				}
			},
			Set: func(u *script.Use) script.Setter {
				name, _ := u.Fixed()
				return func(x *script.Machine, v script.Value) int {
					switch n, ok := v.Int(); {
					case v.IsNull():
						m.shared.set(name, value{})
					case v.IsNumber() && ok:
						m.shared.set(name, value{n: n})
					default:
						m.shared.set(name, value{text: string(x.Text(v)), isText: true})
					}
					return 1
				}
			}},
		{Name: "RANDOM", Help: "A number by chance, 0 to 2147483647.", Get: script.Simple(func(*script.Machine) script.Value { return script.Int(rand.Int64N(1 << 31)) })},
		{Name: "ctime", Help: "A part of the local time: sec, min, hour, mday, mon, year, wday, yday, isdst.", Inner: script.ConstInner, Get: func(u *script.Use) script.Getter {
			name, _ := u.Fixed()
			if _, ok := brokenDown(time.Time{}, name); !ok {
				u.Errorf("$ctime() has sec, min, hour, mday, mon, year, wday, yday and isdst, not %s", name)
				return nil
			}
			return func(x *script.Machine, _ int) script.Value {
				n, _ := brokenDown(x.Now().Local(), name)
				return script.Int(int64(n))
			}
		}},
	}
}

func (m *module) commands() []rpc.Command {
	ok := func(context.Context, *rpc.Args) (any, error) { m.probability.Store(m.initial); return "OK", nil }
	noFile := &rpc.Error{Code: rpc.CodeNotFound, Message: "hash_file is not set"}
	return []rpc.Command{
		{Name: "rand_set_prob", Help: "Sets the probability of rand_event(), in percent.", Params: []rpc.Param{{Name: "prob_proc"}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			n := a.Text("prob_proc")
			p, err := strconv.Atoi(n)
			if err != nil || p < 0 || p > 100 {
				return nil, &rpc.Error{Code: 400, Message: "the probability is 0 to 100"}
			}
			m.probability.Store(int64(p))
			return "OK", nil
		}},
		{Name: "rand_reset_prob", Help: "Sets the probability of initial_probability again.", Func: ok},
		{Name: "rand_get_prob", Help: "Shows the probability of rand_event().", Func: func(context.Context, *rpc.Args) (any, error) {
			return map[string]any{"Probability": m.probability.Load()}, nil
		}},
		{Name: "get_config_hash", Help: "Shows the hash of hash_file as it was at the start.", Func: func(context.Context, *rpc.Args) (any, error) {
			if m.hashFile == "" {
				return nil, noFile
			}
			return map[string]any{"Hash": m.hash}, nil
		}},
		{Name: "check_config_hash", Help: "Whether hash_file is as it was at the start.", Func: func(context.Context, *rpc.Args) (any, error) {
			if m.hashFile == "" {
				return nil, noFile
			}
			now, err := hashOf(m.hashFile)
			if err != nil {
				return nil, rpc.Failed(err.Error(), nil)
			}
			if now != m.hash {
				return nil, &rpc.Error{Code: 400, Message: "The actual config file hash is not identical to the stored one."}
			}
			return "The actual config file hash is identical to the stored one.", nil
		}},
		{Name: "shv_set", Help: "Sets a value of $shv(name).", Params: []rpc.Param{{Name: "name"}, {Name: "type"}, {Name: "value"}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			name, text := a.Text("name"), a.Text("value")
			v := value{text: text, isText: true}
			switch a.Text("type") {
			case "str":
			case "int":
				n, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return nil, &rpc.Error{Code: 400, Message: "the value is no number"}
				}
				v = value{n: n}
			default:
				return nil, &rpc.Error{Code: 400, Message: "the type is int or str"}
			}
			if !m.shared.has(name) && len(m.shared.names()) >= maxShared {
				return nil, rpc.Failed("there are too many shared values", nil)
			}
			m.shared.set(name, v)
			return "OK", nil
		}},
		{Name: "shv_get", Help: "Shows a value of $shv(name), or all.", Params: []rpc.Param{{Name: "name", Optional: true}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			show := func(name string) any {
				v := m.shared.get(name)
				if v.isText {
					return map[string]any{"name": name, "type": "string", "value": v.text}
				}
				return map[string]any{"name": name, "type": "integer", "value": v.n}
			}
			if a.Has("name") {
				if !m.shared.has(a.Text("name")) {
					return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "there is no such value"}
				}
				return show(a.Text("name")), nil
			}
			list := []any{}
			for _, name := range m.shared.names() {
				list = append(list, show(name))
			}
			return map[string]any{"VARS": list}, nil
		}},
	}
}

// maxShared bounds the values that the management interface may make.
const maxShared = 10000
