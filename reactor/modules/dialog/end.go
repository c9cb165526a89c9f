package dialog

import (
	"bytes"
	"fmt"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

const eventState = "E_DLG_STATE_CHANGED"

// Keys of routes that a dialog has armed.
type armed uint8

const (
	onAnswer armed = iota
	onTimeout
	onHangup
)

// changed tells of a change of state. The route of a hangup comes first: what it sets is in what others write of the end.
func (m *Module) changed(c *core.Change) {
	if c.New == core.Ended {
		m.pings.end(c.Dialog)
		m.runArmed(c.Dialog, onHangup)
	}
	for _, f := range m.watchers {
		f(*c)
	}
	if m.dbMode == realtime {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	d := c.Dialog
	if c.New == core.Answered {
		m.runArmed(d, onAnswer)
	}
	if m.env != nil && m.env.Heard(eventState) {
		s := d.Summary()
		tag := ""
		if s.Callee >= 0 {
			tag = s.Callees[s.Callee].Tag
		} else if len(s.Callees) > 0 {
			tag = s.Callees[0].Tag
		}
		m.env.Raise(eventState, script.TextParam("id", d.ID.String()), script.NumberParam("db_id", d.ID.Int()),
			script.TextParam("callid", d.CallID), script.TextParam("from_tag", d.FromTag), script.TextParam("to_tag", tag),
			script.NumberParam("old_state", int64(c.Old)), script.NumberParam("new_state", int64(c.New)))
	}
}

// runArmed runs the route that a dialog has armed for an occasion.
func (m *Module) runArmed(d *core.Dialog, what armed) {
	if r, ok := d.Attachment(what).(*script.Routine); ok && r != nil && m.env != nil {
		m.run(r, d, what == onAnswer || what == onHangup && d.Reason() == core.Failed)
	}
}

// over is told that a dialog's time is over; core.Table ends it unless it has got more.
func (m *Module) over(d *core.Dialog) {
	now := time.Now().Unix()
	if m.runArmed(d, onTimeout); d.Left(now) > 0 {
		return
	}
	if d.Attachment(raceKey) != nil {
		m.terminate(d, core.Race, "")
	} else if d.Flags()&core.ByeOnTimeout != 0 {
		m.terminate(d, core.Timeout, "")
	}
}

// terminate ends a call: BYE to all who have answered, and to the caller; of one that nobody has answered, CANCEL to the
// callees. It reports whether there was something to end.
func (m *Module) terminate(d *core.Dialog, why core.Reason, headers string) bool {
	s := d.Summary()
	if s.State == core.Ended {
		return false
	}
	if s.State < core.Answered {
		b, ok := d.Attachment(handleKey).(*bond)
		return ok && m.tm.Layer().Do(nil, b.handle, func(x *transaction.Exchange, _ *proxy.Context) { x.CancelAll() })
	}
	d.End(why, time.Now().Unix())
	for i := range s.Callees {
		if s.Callees[i].Answered && !s.Callees[i].Over {
			m.Send(d, &Sequential{Method: "BYE", Dir: core.Downstream, Callee: i, Headers: headers})
		}
	}
	m.Send(d, &Sequential{Method: "BYE", Dir: core.Upstream, Callee: -1, Headers: headers})
	return true
}

// Sequential is a request of ours in a dialog.
type Sequential struct {
	Method, Headers, Body, Type string
	Dir                         core.Direction
	Callee                      int // -1: the one that answered
	NoAnswer                    time.Duration
	Contact                     string                       // URI; "" none
	CSeq                        uint32                       // of an ACK, that of its INVITE; 0: the next
	By                          *proxy.Context               // that of the goroutine, if it has one
	NoAck                       bool                         // a 2xx to an INVITE is acknowledged by another ACK
	Done                        func(o *transaction.Outcome) // is told the final response
}

// Send sends a request to one side of a dialog. It reports whether it could be begun.
func (m *Module) Send(d *core.Dialog, q *Sequential) bool {
	to, from, number, ok := d.Side(q.Dir, q.Callee, q.CSeq == 0)
	if !ok || to.Contact == "" {
		return false
	}
	if q.CSeq != 0 {
		number = q.CSeq
	}
	fromURI, toURI := d.Parties(q.Dir)
	if q.Dir == core.Upstream {
		toURI, fromURI = fromURI, toURI
	}
	callID := d.CallID
	if v, ok := d.Get(CalleeCallID); ok && q.Dir == core.Downstream {
		callID = v.Text
	}
	var h bytes.Buffer
	if to.Routes != "" {
		fmt.Fprintf(&h, "Route: %s\r\n", to.Routes)
	}
	if q.Contact != "" {
		fmt.Fprintf(&h, "Contact: <%s>\r\n", q.Contact)
	}
	if q.Type != "" {
		fmt.Fprintf(&h, "Content-Type: %s\r\n", q.Type)
	}
	h.WriteString(q.Headers)
	h.WriteString(m.extra)
	r := &transaction.Request{
		Local:  &bond{dialog: d, dir: q.Dir},
		Method: q.Method, URI: []byte(to.Contact), CallID: []byte(callID), CSeq: number,
		From: fmt.Appendf(nil, "<%s>;tag=%s", fromURI, from.Tag), To: fmt.Appendf(nil, "<%s>;tag=%s", toURI, to.Tag),
		Headers: h.Bytes(), Body: []byte(q.Body), Socket: to.Socket, NoAnswer: q.NoAnswer, Ack: !q.NoAck,
	}
	if q.Done != nil {
		r.Done = func(o *transaction.Outcome) {
			if o.Code >= 200 {
				q.Done(o)
			}
		}
	}
	if _, err := m.tm.Layer().Originate(q.By, r); err != nil {
		m.env.Log.Warn("dialog: a request cannot be sent", "method", q.Method, "dialog", d.ID.String(), "error", err)
		return false
	}
	return true
}
