package b2b_logic

import (
	"context"

	"sipreactor/reactor/rpc"
)

func (m *Module) commands() []rpc.Command {
	return []rpc.Command{
		{Name: "b2b_list", Aliases: []string{"b2b_logic:list"}, Help: "Lists the calls with their legs.", Func: m.list},
		{Name: "b2b_terminate_call", Aliases: []string{"b2b_logic:terminate_call"}, Help: "Ends a call.", Params: []rpc.Param{{Name: "key"}}, Func: func(_ context.Context, a *rpc.Args) (any, error) {
			c := m.calls.get(a.Text("key"))
			if c == nil {
				return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such call"}
			}
			c.end(nil)
			return "OK", nil
		}},
		{Name: "b2b_bridge", Aliases: []string{"b2b_logic:bridge"}, Help: "Joins the caller, or with flag 1 the callee, with a new party; the other one is ended then.",
			Params: []rpc.Param{{Name: "dialog_id"}, {Name: "new_uri"}, {Name: "flag", Kind: rpc.Integer, Optional: true}}, Func: m.bridgeCall},
	}
}

// view is a call as b2b_list shows it.
type view struct {
	Key      string    `json:"key"`
	Scenario string    `json:"scenario"`
	Age      int64     `json:"since"` // unix seconds
	Answered bool      `json:"answered"`
	Bridging bool      `json:"bridging"`
	Legs     []legView `json:"entities"`
}

type legView struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Key    string `json:"key,omitempty"`
	CallID string `json:"callid,omitempty"`
	Peer   string `json:"peer,omitempty"`
}

func (m *Module) list(context.Context, *rpc.Args) (any, error) {
	list := []view{}
	for _, c := range m.calls.all() {
		c.mu.Lock()
		v := view{Key: c.key, Scenario: c.scenario, Age: c.since.Unix(), Answered: c.answered, Bridging: c.bridge != nil, Legs: []legView{}}
		for _, l := range c.legs {
			w := legView{ID: l.id, Type: "server"}
			if l.client {
				w.Type = "client"
			}
			if l.session != nil {
				w.Key, w.CallID = l.session.Key(), l.session.CallID()
			}
			if l.peer != nil {
				w.Peer = l.peer.id
			}
			v.Legs = append(v.Legs, w)
		}
		c.mu.Unlock()
		list = append(list, v)
	}
	return map[string]any{"calls": list}, nil
}

func (m *Module) bridgeCall(_ context.Context, a *rpc.Args) (any, error) {
	c := m.calls.get(a.Text("dialog_id"))
	if c == nil {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "No such call"}
	}
	c.mu.Lock()
	var old *leg
	if i := a.Int("flag"); i >= 0 && i < min(2, len(c.legs)) {
		old = c.legs[i]
	}
	c.mu.Unlock()
	if old == nil || old.session == nil {
		return nil, &rpc.Error{Code: 400, Message: "No such party"}
	}
	uri := a.Text("new_uri")
	d := &draft{id: "bridged", uri: uri, to: "<" + uri + ">"}
	if err := c.bridged(nil, old, d, false, 0); err != nil {
		return nil, &rpc.Error{Code: 400, Message: err.Error()}
	}
	return "OK", nil
}
