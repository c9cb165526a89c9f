package script

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"sipreactor/reactor/rpc"
)

// sample is a module that has one of everything.
type sample struct {
	limit    int
	names    []string
	onEnd    Literal
	end      *Routine
	avp      *AVP
	format   func(m *Machine) []byte
	armed    *Routine
	calls    atomic.Uint64
	started  bool
	stopped  []any
	previous any
	fails    error
	env      *Env
}

func (s *sample) module(*Config) *Module {
	return &Module{
		Name: "sample", Help: "Has one of everything.", Instance: s, Note: "a sample", Runs: Routes(LocalRoute),
		Parameters: []Parameter{
			{Name: "limit", Type: IntParam, Min: 1, Max: 9, Unit: "calls", Default: "3", Help: "A number.", Set: Into(&s.limit)},
			{Name: "name", Type: StringParam, Help: "Names.", Set: func(v Literal) error {
				if v.Text == "" {
					return errors.New("is empty")
				}
				s.names = append(s.names, v.Text)
				return nil
			}},
			{Name: "end_route", Type: StringParam, Help: "A route.", Set: func(v Literal) error { s.onEnd = v; return nil }},
			{Name: "hash_size", Type: IntParam, Help: "Nothing.", Note: "it grows as it needs"},
		},
		Functions: []Function{
			{Name: "sample_arm", Aliases: []string{"sample_on"}, Usage: `sample_arm("failure route")`, Help: "Arms.", Args: []ArgKind{FailureRouteArg}, Min: 1, Routes: Requests,
				Build: func(a *Args) Action {
					route := a.Route(0)
					return func(m *Machine) int {
						s.armed = route(m)
						return Yes(s.armed != nil)
					}
				}},
			{Name: "sample_get", Usage: `sample_get("text"[, $var(result)][, number])`, Help: "Waits.", Args: []ArgKind{TextArg, SetArg, IntArg}, Min: 1, Routes: Requests,
				Build: func(a *Args) Action {
					text, result, number, at := a.Text(0), a.Setter(1), a.Int(2), a.Site()
					return func(m *Machine) int {
						b, ok := text(m)
						if !ok {
							return m.Fail(at, "the text is NULL")
						}
						if !m.Wait(func() { s.calls.Add(1) }) {
							return -2
						}
						n, given := number(m)
						if !given {
							n = -1
						}
						if result != nil {
							result(m, Text(m.Keep(append([]byte("got "), b...))))
						}
						s.avp.Add(m, Int(n))
						return 1
					}
				}},
			{Name: "sample_branch", Usage: `sample_branch("branch route")`, Help: "Runs a branch_route.", Args: []ArgKind{BranchRouteArg}, Min: 1, Routes: Requests,
				Build: func(a *Args) Action {
					route := a.Route(0)
					return func(m *Machine) int { return 1 + int(m.Run(route(m), BranchRoute)) }
				}},
		},
		Variables: []Variable{
			{Name: "sample.calls", Aliases: []string{"samples"}, Help: "The calls.", Get: Simple(func(*Machine) Value { return Int(int64(s.calls.Load())) })},
			{Name: "sample", Help: "The name upper.", Inner: AnyInner, Get: func(u *Use) Getter {
				inner := u.Inner()
				if inner == nil {
					return nil
				}
				return func(m *Machine, i int) Value { return Text([]byte(strings.ToUpper(string(inner(m))) + itoa(i))) }
			}, Index: true, Set: func(u *Use) Setter {
				name, ok := u.Fixed()
				if !ok {
					u.Errorf("the name is a constant")
					return nil
				}
				return func(m *Machine, v Value) int { s.names = append(s.names, name+"="+string(m.Text(v))); return 1 }
			}},
		},
		Commands:   []rpc.Command{{Name: "sample_list", Help: "Lists.", Func: func(context.Context, *rpc.Args) (any, error) { return s.names, nil }}},
		Statistics: []Statistic{{Name: "calls", Help: "Calls.", Value: s.calls.Load}},
		Lacks: []Lack{
			{LacksParameter, "depth width", "calls are flat"}, {LacksFunction, "sample_all", "there are many"},
			{LacksVariable, "sampler", "nobody samples"}, {LacksCommand, "sample_clear", "they are kept"},
		},
		Events: []Event{{Name: "E_SAMPLE", Help: "Happens.", Params: []string{"who", "n"}}},
		Check: func(l *Loading) {
			s.avp = l.AVP(Literal{Text: "$avp(sample)"})
			s.format = l.Format(Literal{Text: "limit of $rU"})
			if s.onEnd.Text != "" {
				s.end = l.Route(RequestRoute, s.onEnd)
			}
			if s.limit == 7 {
				l.Errorf(l.Place("limit"), "limit is 7")
			}
		},
		Start: func(e *Env) error { s.env, s.previous, s.started = e, e.Previous, s.fails == nil; return s.fails },
		Stop:  func(next any) { s.stopped = append(s.stopped, next) },
	}
}

const sampleHead = allModules + "loadmodule \"sample.so\"\n"

func compileSample(s *sample, text string) (*Config, error) {
	l := Loader{Modules: append([]Constructor{s.module}, testModules...)}
	return l.Compile("cfg", []byte(text))
}

func newSampleBench(t *testing.T, s *sample, text string) *bench {
	t.Helper()
	cfg, err := compileSample(s, sampleHead+text)
	if err != nil {
		t.Fatal(err)
	}
	return benchFor(t, cfg)
}
