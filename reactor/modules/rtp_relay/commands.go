package rtp_relay

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/internal/anchor"
	"sipreactor/reactor/rescue"
	"sipreactor/reactor/rpc"
)

func (m *module) commands() []rpc.Command {
	text := func(name string) rpc.Param { return rpc.Param{Name: name, Optional: true} }
	number := func(name string) rpc.Param { return rpc.Param{Name: name, Kind: rpc.Integer, Optional: true} }
	which := []rpc.Param{text("engine"), number("set"), text("node")}
	return []rpc.Command{
		{Name: "rtp_relay_list", Aliases: []string{"rtp_relay:list"}, Module: "rtp_relay", Help: "Lists the calls whose media passes a relay.", Params: which, Func: m.list},
		{Name: "rtp_relay_update", Aliases: []string{"rtp_relay:update"}, Module: "rtp_relay", Help: "Has the media of running calls pass a relay anew, or another one, by re-INVITEs.",
			Params: append(slices.Clone(which), number("new_set"), text("new_node")), Func: m.update},
		{Name: "rtp_relay_update_callid", Aliases: []string{"rtp_relay:update_callid"}, Module: "rtp_relay", Help: "Has the media of one call pass a relay anew, or with other flags.",
			Params: []rpc.Param{{Name: "callid"}, text("engine"), number("set"), text("node"), text("flags")}, Func: m.updateOne},
	}
}

// listed is a call as management shows it.
type listed struct {
	CallID  string       `json:"callid"`
	FromTag string       `json:"from_tag"`
	ToTag   string       `json:"to_tag"`
	Engine  string       `json:"engine"`
	Set     int          `json:"set"`
	Node    string       `json:"node"`
	State   int          `json:"state"`
	Caller  anchor.Flags `json:"caller"`
	Callee  anchor.Flags `json:"callee"`
}

var errNeedsEngine = &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "set and node go with an engine"}

// chosen lists the calls that a command is about.
func (m *module) chosen(a *rpc.Args) (list []call, err error) {
	if (a.Has("set") || a.Has("node")) && !a.Has("engine") {
		return nil, errNeedsEngine
	}
	m.follower.Dialogs(func(d *core.Dialog, s *anchor.Session) bool {
		engine, set, node := s.Engaged()
		if (!a.Has("engine") || a.Text("engine") == engine) && (!a.Has("set") || a.Int("set") == set) && (!a.Has("node") || a.Text("node") == node) {
			list = append(list, call{d, s})
		}
		return len(list) < maxListed
	})
	return list, nil
}

// call is a call that is engaged.
type call struct {
	dialog  *core.Dialog
	session *anchor.Session
}

// maxListed bounds the calls of one answer.
const maxListed = 200_000

func (m *module) list(_ context.Context, a *rpc.Args) (any, error) {
	calls, err := m.chosen(a)
	if err != nil {
		return nil, err
	}
	list := make([]listed, 0, len(calls))
	for _, c := range calls {
		engine, set, node := c.session.Engaged()
		sum := c.dialog.Summary()
		l := listed{CallID: sum.CallID, FromTag: sum.FromTag, Engine: engine, Set: set, Node: node, State: int(sum.State),
			Caller: c.session.Party(anchor.Caller), Callee: c.session.Party(anchor.Callee)}
		if sum.Callee >= 0 {
			l.ToTag = sum.Callees[sum.Callee].Tag
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b listed) int { return strings.Compare(a.CallID, b.CallID) })
	return list, nil
}

// atOnce is how many calls are moved at a time.
const atOnce = 16

// update moves calls. It tells how many, and of how many that failed.
func (m *module) update(ctx context.Context, a *rpc.Args) (any, error) {
	calls, err := m.chosen(a)
	if err != nil {
		return nil, err
	}
	var to anchor.Move
	if a.Has("new_set") {
		n := a.Int("new_set")
		to.Set = &n
	}
	if a.Has("new_node") {
		n := a.Text("new_node")
		to.Node = &n
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	updated, failed := 0, 0
	gate := make(chan struct{}, atOnce)
	for _, c := range calls {
		if c.dialog.State() < core.Answered {
			continue
		}
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			var err error
			if failed := rescue.Run(nil, "rtp_relay: a call that is moved", func() { err = m.follower.Move(ctx, c.dialog, c.session, to) }); failed != nil {
				err = failed
			}
			mu.Lock()
			defer mu.Unlock()
			if updated++; err != nil {
				updated--
				failed++
			}
		})
	}
	all.Wait()
	return rpc.Object{{Name: "updated", Value: updated}, {Name: "failed", Value: failed}}, nil
}

func (m *module) updateOne(ctx context.Context, a *rpc.Args) (any, error) {
	d := m.follower.ByCallID(a.Text("callid"))
	s := m.follower.OfDialog(d)
	if s == nil || d.State() < core.Answered || d.State() == core.Ended {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such dialog"}
	}
	var to anchor.Move
	if a.Has("engine") {
		name := a.Text("engine")
		to.Engine = &name
	}
	if a.Has("set") {
		n := a.Int("set")
		to.Set = &n
	}
	if a.Has("node") {
		n := a.Text("node")
		to.Node = &n
	}
	if a.Has("flags") {
		var f struct{ Caller, Callee anchor.Flags }
		if err := json.Unmarshal([]byte(a.Text("flags")), &f); err != nil {
			return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "flags is {\"caller\":{...},\"callee\":{...}} of texts: " + err.Error()}
		}
		to.Sides = [2]anchor.Flags{f.Caller, f.Callee}
		for _, side := range to.Sides {
			for name := range side {
				if !slices.Contains(anchor.PartyFlags, name) {
					return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "there are no flags " + name}
				}
			}
		}
	}
	if err := m.follower.Move(ctx, d, s, to); err != nil {
		return nil, rpc.Failed(err.Error(), nil)
	}
	return "OK", nil
}
