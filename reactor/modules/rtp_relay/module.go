package rtp_relay

import (
	"strconv"

	"sipreactor/reactor/modules/internal/anchor"
	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// module is the module in one configuration.
type module struct {
	follower anchor.Follower
}

// engineNames are the modules that can be engaged.
var engineNames = []string{"rtpengine", "rtpproxy"}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{follower: anchor.Follower{Name: "rtp_relay", Engines: make(map[string]relay.Engine)}}
	return &script.Module{
		Name: "rtp_relay", Help: "Has the media of calls pass rtpengine or rtpproxy from begin to end.", Instance: m, Needs: []string{"tm", "dialog"},
		Functions: []script.Function{{Name: "rtp_relay_engage", Usage: `rtp_relay_engage("engine"[, set])`, Args: []script.ArgKind{script.TextArg, script.IntArg}, Min: 1,
			Routes: script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute), Build: m.engage,
			Help: "Has the media of the INVITE's call pass rtpengine or rtpproxy; in a branch_route that of the branch."}},
		Lacks: []script.Lack{{Kind: script.LacksParameter, Names: "route_offer route_answer route_delete route_copy_offer route_copy_answer route_copy_delete",
			Why: "the engine route is not here: what its routes would do, rtpengine_offer() and its like do in the routes of the messages"}},
		Variables: m.variables(), Commands: m.commands(),
		Check: m.check, Start: m.start, Stop: func(any) { m.follower.Stop() },
	}
}

func (m *module) check(l *script.Loading) {
	m.follower.Check(l)
	for _, name := range engineNames {
		if e, ok := l.Instance(name).(relay.Engine); ok {
			m.follower.Engines[name] = e
		}
	}
	if len(m.follower.Engines) == 0 && !l.Partial() {
		l.Errorf(l.Place(""), "rtp_relay needs one of the modules rtpengine and rtpproxy")
	}
}

func (m *module) start(e *script.Env) error {
	var before *anchor.Follower
	if old, ok := e.Previous.(*module); ok {
		before = &old.follower
	}
	m.follower.Start(e, before)
	return nil
}

// engage builds rtp_relay_engage().
func (m *module) engage(a *script.Args) script.Action {
	name, set, at, given := a.Text(0), a.Int(1), a.Site(), a.Given(1)
	if text, ok := a.Fixed(0); ok && m.follower.Engines[text] == nil {
		a.Errorf(0, "there is no engine %q: rtpengine and rtpproxy are, where their modules are loaded%s", text, script.Hint(text, engineNames))
		return nil
	}
	return func(x *script.Machine) int {
		b, _ := name(x)
		e := m.follower.Engines[string(b)]
		if e == nil {
			return x.Fail(at, "there is no engine "+strconv.Quote(string(b)))
		}
		number := int64(e.DefaultSet())
		if given {
			n, ok := set(x)
			if !ok {
				return x.Fail(at, "the set is no number")
			}
			number = n
		}
		if !e.HasSet(int(number)) {
			return x.Fail(at, "there is no set "+strconv.FormatInt(number, 10))
		}
		return m.follower.Engage(x, at, string(b), int(number), branchOf(x))
	}
}

// branchOf is the branch that a branch_route or an onreply_route is about; -1: another route is run.
func branchOf(x *script.Machine) int {
	if k := x.Kind(); k != script.BranchRoute && k != script.OnReplyRoute {
		return -1
	}
	if e := transaction.Of(x.Context()); e != nil && e.At() != nil {
		return e.At().Number()
	}
	return -1
}
