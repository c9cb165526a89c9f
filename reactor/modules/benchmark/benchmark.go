// Package benchmark is OpenSIPS' module benchmark: how long parts of the script take, in microseconds of the clock, and
// so with what they wait for. What was measured outlives a reload; what management has set does not.
package benchmark

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

type module struct {
	mode, granularity, level atomic.Int64
	timers                   []*timer
	runs                     *script.Local // *run
	env                      *script.Env
}

// timer is what was measured of a name.
type timer struct {
	name    string
	number  int
	enabled atomic.Bool // where the mode leaves that to each

	mu           sync.Mutex
	last, global tally
}

// tally is durations in microseconds.
type tally struct{ calls, sum, min, max int64 }

func (t *tally) add(n int64) {
	if t.calls == 0 || n < t.min {
		t.min = n
	}
	t.max = max(t.max, n)
	t.calls++
	t.sum += n
}

// String is how OpenSIPS writes one: number, sum, least, most, mean.
func (t *tally) String() string {
	return fmt.Sprintf("%d/%d/%d/%d/%f", t.calls, t.sum, t.min, t.max, float64(t.sum)/float64(max(t.calls, 1)))
}

// run is when the timers of a message have begun; the zero time: not.
type run struct {
	begun []time.Time
	last  int64
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := new(module)
	m.granularity.Store(100)
	m.level.Store(int64(script.LevelInfo))
	number := func(name, otherwise, help string, low, high int64, to *atomic.Int64) script.Parameter {
		return script.Parameter{Name: name, Type: script.IntParam, Min: low, Max: high, Default: otherwise, Help: help, Set: func(v script.Literal) error {
			to.Store(v.Int)
			return nil
		}}
	}
	name := []script.ArgKind{script.FixedArg}
	return &script.Module{
		Name: "benchmark", Help: "Measures how long parts of the script take.", Instance: m,
		Parameters: []script.Parameter{
			number("enable", "0", "Which timers measure: 1 all, -1 none, 0 those that bm_enable_timer enables.", -1, 1, &m.mode),
			number("granularity", "100", "A timer is logged behind so many measurements; 0: never, for bm_poll_results.", 0, 1<<30, &m.granularity),
			number("loglevel", "3", "The level of those lines.", -3, 4, &m.level),
		},
		Functions: []script.Function{
			{Name: "bm_start_timer", Usage: `bm_start_timer("name")`, Args: name, Min: 1, Routes: script.Anywhere, Build: m.start, Help: "Begins to measure, until bm_log_timer() in the same run of a route."},
			{Name: "bm_log_timer", Usage: `bm_log_timer("name")`, Args: name, Min: 1, Routes: script.Anywhere, Build: m.stop, Help: "Ends a measurement, and logs the timer where its turn has come. -1: none has begun."},
		},
		Variables: []script.Variable{{Name: "BM_time_diff", Help: "Microseconds of the last measurement of the message; 0: there is none.", Free: true, Get: script.Simple(func(x *script.Machine) script.Value {
			if r, _ := m.runs.Get(x).(*run); r != nil {
				return script.Int(r.last)
			}
			return script.Int(0)
		})}},
		Commands: m.commands(),
		Check:    func(l *script.Loading) { m.runs = l.Local() },
		Start: func(e *script.Env) error {
			m.env = e
			if old, ok := e.Previous.(*module); ok {
				m.goOn(old)
			}
			return nil
		},
	}
}

// goOn has timers of the same name go on from what was measured.
func (m *module) goOn(old *module) {
	for _, t := range m.timers {
		if o := old.find(t.name); o != nil {
			o.mu.Lock()
			t.last, t.global = o.last, o.global
			o.mu.Unlock()
		}
	}
}

func (m *module) find(name string) *timer {
	for _, t := range m.timers {
		if t.name == name {
			return t
		}
	}
	return nil
}

// timer gives the timer of an argument, which the first use makes.
func (m *module) timer(a *script.Args) *timer {
	name, _ := a.Fixed(0)
	if name == "" {
		a.Errorf(0, "the name of a timer is missing")
		return nil
	}
	t := m.find(name)
	if t == nil {
		t = &timer{name: name, number: len(m.timers)}
		m.timers = append(m.timers, t)
	}
	return t
}

// measures reports whether a timer does.
func (m *module) measures(t *timer) bool {
	mode := m.mode.Load()
	return mode > 0 || mode == 0 && t.enabled.Load()
}

func (m *module) start(a *script.Args) script.Action {
	t := m.timer(a)
	return func(x *script.Machine) int {
		if m.measures(t) {
			r, _ := m.runs.Get(x).(*run)
			if r == nil {
				r = &run{begun: make([]time.Time, len(m.timers))}
				m.runs.Set(x, r)
			}
			r.begun[t.number] = time.Now()
		}
		return 1
	}
}

func (m *module) stop(a *script.Args) script.Action {
	t := m.timer(a)
	return func(x *script.Machine) int {
		if !m.measures(t) {
			return 1
		}
		r, _ := m.runs.Get(x).(*run)
		if r == nil || r.begun[t.number].IsZero() {
			return -1
		}
		r.last = time.Since(r.begun[t.number]).Microseconds()
		r.begun[t.number] = time.Time{}
		if line := t.measured(r.last, m.granularity.Load()); line != "" {
			m.env.Log.Log(context.Background(), script.LogLevel(m.level.Load()).Slog(), line)
		}
		return 1
	}
}

// measured notes a duration and returns what is to be logged.
func (t *timer) measured(n, granularity int64) (line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last.add(n)
	t.global.add(n)
	if granularity > 0 && t.last.calls >= granularity {
		line = fmt.Sprintf("benchmark: timer %s: msgs/sum/min/max/avg: last %s, global %s", t.name, &t.last, &t.global)
		t.last = tally{}
	}
	return line
}

// Polled is a timer in the answer of bm_poll_results.
type Polled struct {
	Name   string `json:"name"`
	Local  string `json:"local"`
	Global string `json:"global"`
}

func (m *module) commands() []rpc.Command {
	set := func(name, param, help string, low, high int64, to *atomic.Int64) rpc.Command {
		return rpc.Command{Name: "bm_" + name, Aliases: []string{"benchmark:" + name}, Help: help, Params: []rpc.Param{{Name: param, Kind: rpc.Integer}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			n := int64(a.Int(param))
			if n < low || n > high {
				return nil, &rpc.Error{Code: 400, Message: fmt.Sprintf("%s is from %d to %d", param, low, high)}
			}
			to.Store(n)
			return "OK", nil
		}}
	}
	return []rpc.Command{
		set("enable_global", "enable", "Sets which timers measure, as enable does.", -1, 1, &m.mode),
		set("granularity", "granularity", "Sets after how many measurements a timer is logged.", 0, 1<<30, &m.granularity),
		set("loglevel", "log_level", "Sets the level of lines about timers.", -3, 4, &m.level),
		{Name: "bm_enable_timer", Aliases: []string{"benchmark:enable_timer"}, Help: "Enables a timer, or with 0 disables it.", Params: []rpc.Param{{Name: "timer"}, {Name: "enable", Kind: rpc.Integer}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			t := m.find(a.Text("timer"))
			if t == nil {
				return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "there is no such timer"}
			}
			t.enabled.Store(a.Int("enable") != 0)
			return "OK", nil
		}},
		{Name: "bm_poll_results", Aliases: []string{"benchmark:poll_results"}, Help: "Shows what timers have measured, since the last time and at all. It wants a granularity of 0.", Func: func(context.Context, *rpc.Args) (any, error) {
			if m.granularity.Load() != 0 {
				return nil, &rpc.Error{Code: 400, Message: "granularity is not 0: timers are logged"}
			}
			list := []Polled{}
			for _, t := range m.timers {
				t.mu.Lock()
				list = append(list, Polled{t.name, t.last.String(), t.global.String()})
				t.last = tally{}
				t.mu.Unlock()
			}
			return map[string]any{"Timers": list}, nil
		}},
	}
}
