package b2b_entities

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rpc"
)

func (m *Module) commands() []rpc.Command {
	text := func(name string, optional bool) rpc.Param {
		return rpc.Param{Name: name, Kind: rpc.Text, Optional: optional}
	}
	command := func(name, help string, f func(context.Context, *rpc.Args) (any, error), params ...rpc.Param) rpc.Command {
		return rpc.Command{Name: name, Aliases: []string{"b2b_entities:" + name}, Module: "b2b_entities", Help: help, Params: params, Func: f}
	}
	return []rpc.Command{
		command("b2be_list", "Lists sessions.", m.list),
		command("ua_session_list", "Lists sessions, or one.", m.list, text("key", true)),
		command("ua_session_client_start", "Begins a session: sends its INVITE, and answers with its key.", m.clientStart, text("ruri", false), text("to", false), text("from", false),
			text("proxy", true), text("body", true), text("content_type", true), text("extra_headers", true), text("flags", true), text("socket", true)),
		command("ua_session_update", "Sends a request to the other party of a session that is answered.", m.miUpdate, text("key", false), text("method", false), text("body", true), text("extra_headers", true), text("content_type", true)),
		command("ua_session_reply", "Answers the request of that method of a session.", m.miReply, text("key", false), text("method", false), rpc.Param{Name: "code", Kind: rpc.Integer}, text("reason", true), text("body", true),
			text("extra_headers", true), text("content_type", true)),
		command("ua_session_terminate", "Ends a session.", m.miTerminate, text("key", false), text("extra_headers", true)),
	}
}

// shown is what a list says of a session.
type shown struct {
	Key     string   `json:"key"`
	Side    string   `json:"entity_type"`
	State   string   `json:"state"`
	CallID  string   `json:"callid"`
	From    string   `json:"local_uri"`
	To      string   `json:"remote_uri"`
	Target  string   `json:"target"`
	Begun   string   `json:"begun"`
	Until   string   `json:"until"`
	Waiting []string `json:"waiting,omitempty"`
}

func (m *Module) list(_ context.Context, a *rpc.Args) (any, error) {
	all := m.sessions.all()
	if key := a.Text("key"); key != "" {
		s := m.sessions.get(key)
		if s == nil {
			return nil, failure(errNone)
		}
		all = []*Session{s}
	}
	slices.SortFunc(all, func(a, b *Session) int { return cmp.Or(a.from.Compare(b.from), strings.Compare(a.key, b.key)) })
	list := make([]shown, len(all))
	for i, s := range all {
		list[i] = s.shown()
	}
	return map[string]any{"Sessions": list}, nil
}

func (s *Session) shown() shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	side := "UAC"
	if s.server {
		side = "UAS"
	}
	v := shown{Key: s.key, Side: side, State: []string{"begun", "confirmed", "ended"}[s.state], CallID: s.callID, From: s.local, To: s.remote, Target: s.target,
		Begun: s.from.Format(time.RFC3339), Until: s.until.Format(time.RFC3339)}
	for _, p := range s.waiting {
		v.Waiting = append(v.Waiting, p.method)
	}
	return v
}

// failure is an error as the management interface tells it.
func failure(err error) error {
	if err == errNone {
		return &rpc.Error{Code: rpc.CodeNotFound, Message: "No such session"}
	}
	return &rpc.Error{Code: 400, Message: err.Error()}
}

func result(err error) (any, error) {
	if err != nil {
		return nil, failure(err)
	}
	return "OK", nil
}

func (m *Module) clientStart(_ context.Context, a *rpc.Args) (any, error) {
	f, err := parseFlags(a.Text("flags"))
	if err != nil {
		return nil, failure(err)
	}
	c := &call{uri: a.Text("ruri"), to: a.Text("to"), from: a.Text("from"), proxy: a.Text("proxy"), contact: m.contact,
		message: message{a.Text("body"), a.Text("extra_headers"), a.Text("content_type")}}
	if name := a.Text("socket"); name != "" {
		if c.socket = m.tm.Socket(name); c.socket == nil {
			return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Invalid local socket"}
		}
	}
	if c.contact == "" {
		c.contact = m.anyContact(c.socket)
	}
	key, err := m.begin(nil, c, f)
	if err != nil {
		return nil, failure(err)
	}
	return map[string]any{"key": key}, nil
}

// anyContact is our Contact in a session that no message has begun: that of its socket, or of the first.
func (m *Module) anyContact(s *reactor.Socket) string {
	if s == nil && m.env.Engine != nil {
		if all := m.env.Engine.Sockets(); len(all) > 0 {
			s = all[0]
		}
	}
	if s == nil {
		return ""
	}
	return socketURI(s, s.Addr, s.Proto)
}

func (m *Module) miUpdate(_ context.Context, a *rpc.Args) (any, error) {
	s := m.sessions.get(a.Text("key"))
	if s == nil {
		return nil, failure(errNone)
	}
	return result(m.update(nil, s, strings.ToUpper(a.Text("method")), message{a.Text("body"), a.Text("extra_headers"), a.Text("content_type")}))
}

func (m *Module) miReply(_ context.Context, a *rpc.Args) (any, error) {
	s := m.sessions.get(a.Text("key"))
	if s == nil {
		return nil, failure(errNone)
	}
	if code := a.Int("code"); code < 101 || code > 699 {
		return nil, &rpc.Error{Code: 400, Message: "Invalid code"}
	}
	return result(m.respondOldest(nil, s, strings.ToUpper(a.Text("method")), answer{int(a.Int("code")), a.Text("reason"), message{a.Text("body"), a.Text("extra_headers"), a.Text("content_type")}}))
}

func (m *Module) miTerminate(_ context.Context, a *rpc.Args) (any, error) {
	s := m.sessions.get(a.Text("key"))
	if s == nil || !m.terminate(nil, s, a.Text("extra_headers")) {
		return nil, failure(errNone)
	}
	return "OK", nil
}
