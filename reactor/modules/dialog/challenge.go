package dialog

import (
	"bytes"
	"context"
	"strings"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// keeps reports whether the SDP of a dialog's sides is kept.
func (m *Module) keeps(f core.Flag) bool {
	return m.keepBodies || f&(core.ReinvitePingCaller|core.ReinvitePingCallee) != 0
}

// told notes the SDP that a side was sent.
func (m *Module) told(h *transaction.Happening, b *bond) {
	if !m.keeps(b.dialog.Flags()) || h.What == transaction.Answered && (h.Code < 200 || h.Code >= 300) {
		return
	}
	var msg sipframe.Message
	if msg.Parse(h.Text) != nil || !body.IsSDP(msg.Value(sipframe.HeaderContentType)) {
		return
	}
	dir := core.Downstream
	if (b.dir == core.Upstream) != (h.What == transaction.Answered) {
		dir = core.Upstream
	}
	sdp := bytes.Clone(msg.Body())
	if b.verdict == 0 && h.What == transaction.RequestOut { // there is no callee yet
		if b.offers == nil {
			b.offers = make(map[int][]byte)
		}
		b.offers[h.Leg.Number()] = sdp
		return
	}
	b.dialog.Told(dir, b.tag, sdp)
}

var (
	errMode   = &rpc.Error{Code: 400, Message: "Invalid mode", Data: "it is caller, callee, challenge, challenge-caller or challenge-callee"}
	errBody   = &rpc.Error{Code: 400, Message: "Invalid body", Data: "it is none, inbound, outbound or custom:CONTENT_TYPE:BODY"}
	errBodies = &rpc.Error{Code: 400, Message: "No body is known", Data: `modparam("dialog", "keep_bodies", 1) has them kept`}
	errUnsent = rpc.Failed("The request could not be sent", nil)
)

// answered is what a request of the management's came to.
type answered struct {
	Code   int    `json:"Code"`
	Reason string `json:"Reason"`
}

// sendSequential is dlg_send_sequential.
func (m *Module) sendSequential(ctx context.Context, a *rpc.Args) (any, error) {
	d := m.byName(a.Text("callid"))
	if d == nil || d.State() == core.Ended {
		return nil, errNoDialog
	}
	q := &Sequential{Method: "INVITE", Dir: core.Upstream, Callee: -1, Headers: lines(a.Text("headers"))}
	if a.Has("method") {
		q.Method = strings.ToUpper(a.Text("method"))
	}
	challenge := false
	switch a.Text("mode") {
	case "", "caller":
	case "callee":
		q.Dir = core.Downstream
	case "challenge", "challenge-caller":
		challenge = true
	case "challenge-callee":
		challenge, q.Dir = true, core.Downstream
	default:
		return nil, errMode
	}
	if challenge && q.Method != "INVITE" && q.Method != "UPDATE" {
		return nil, &rpc.Error{Code: 400, Message: "Invalid method", Data: "a challenge is an INVITE or an UPDATE"}
	}
	if err := m.bodyOf(d, q, a.Text("body")); err != nil {
		return nil, err
	}
	if q.Method == "INVITE" || q.Method == "UPDATE" {
		q.Contact = m.contactFor(d, q.Dir)
	}
	done := make(chan answered, 1)
	end := func(o *transaction.Outcome) { done <- answered{o.Code, string(o.Reason)} }
	if q.Done = end; challenge {
		m.challenge(d, q, end)
	}
	if !m.Send(d, q) {
		return nil, errUnsent
	}
	select {
	case r := <-done:
		return r, nil
	case <-ctx.Done():
		return nil, &rpc.Error{Code: 408, Message: "no answer in time"}
	}
}

// bodyOf has a request carry a body.
func (m *Module) bodyOf(d *core.Dialog, q *Sequential, what string) error {
	s := d.Summary()
	to, other := s.Caller, s.Caller
	if i := max(s.Callee, 0); i < len(s.Callees) {
		if q.Dir == core.Downstream {
			to = s.Callees[i]
		} else {
			other = s.Callees[i]
		}
	}
	var sdp []byte
	switch kind, rest, _ := strings.Cut(what, ":"); kind {
	case "", "none":
		return nil
	case "inbound":
		sdp = other.SDP
	case "outbound":
		sdp = to.Told
	case "custom":
		typ, text, ok := strings.Cut(rest, ":")
		if !ok || typ == "" {
			return errBody
		}
		q.Type, q.Body = typ, text
		return nil
	default:
		return errBody
	}
	if len(sdp) == 0 {
		return errBodies
	}
	q.Type, q.Body = "application/sdp", string(sdp)
	return nil
}

// contactFor is the Contact of a request of ours to one side: the other one's, or ours where that is hidden.
func (m *Module) contactFor(d *core.Dialog, dir core.Direction) string {
	s := d.Summary()
	asked, other := core.Leg{}, s.Caller
	if s.Callee >= 0 {
		asked = s.Callees[s.Callee]
	}
	if dir == core.Upstream {
		asked, other = other, asked
	}
	if d.Flags()&core.HideTopology != 0 {
		return m.ownContact(d, &asked)
	}
	return other.Contact
}

// challenge has what q's answer offers go to the other side, and that one's answer back in the ACK; end is told the last
// answer.
func (m *Module) challenge(d *core.Dialog, q *Sequential, end func(o *transaction.Outcome)) {
	q.NoAck = true
	q.Done = func(o *transaction.Outcome) {
		if o.Local || o.Code >= 300 || o.Message == nil {
			end(o)
			return
		}
		seq, _, _ := o.Message.CSeq()
		back := &Sequential{Method: "ACK", Dir: q.Dir, Callee: -1, CSeq: seq}
		acknowledge := func() {
			if q.Method == "INVITE" {
				m.Send(d, back)
			}
		}
		sdp := string(o.Message.Body())
		if sdp == "" {
			acknowledge()
			end(o)
			return
		}
		on := &Sequential{Method: q.Method, Dir: core.Downstream + core.Upstream - q.Dir, Callee: -1, Headers: q.Headers,
			Type: string(o.Message.Value(sipframe.HeaderContentType)), Body: sdp}
		on.Contact = m.contactFor(d, on.Dir)
		on.Done = func(o *transaction.Outcome) {
			if o.Message != nil && o.Code < 300 && q.Body == "" && len(o.Message.Body()) > 0 {
				back.Type, back.Body = string(o.Message.Value(sipframe.HeaderContentType)), string(o.Message.Body())
			}
			acknowledge()
			end(o)
		}
		if !m.Send(d, on) {
			acknowledge()
			end(&transaction.Outcome{Code: 503, Reason: []byte("Service Unavailable"), Local: true})
		}
	}
}
