package dialog

import (
	"bytes"
	"fmt"
	"strconv"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// prack acknowledges a reliable provisional response in the place of the caller (RFC 3262), who gets it as one that is not.
// One that was sent again is passed on and has no other PRACK: that is on its way.
func (m *Module) prack(h *transaction.Happening, d *core.Dialog, tag []byte) {
	c := h.Context
	i := c.Msg.Find(sipframe.HeaderRSeq)
	if i < 0 || len(tag) == 0 || h.Code <= 100 {
		return
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(c.Msg.Bytes(c.Msg.Header(i).Value))), 10, 32)
	if err != nil {
		return
	}
	c.RemoveHeader([]byte("RSeq"))
	required := func(h *sipframe.Header) bool {
		return h.Kind == sipframe.HeaderRequire && bytes.EqualFold(bytes.TrimSpace(c.Msg.Bytes(h.Value)), []byte("100rel"))
	}
	c.RemoveHeaderFunc(required)
	callee := d.Reliable(tag, uint32(n))
	if callee < 0 {
		return
	}
	handle := h.Exchange.Handle()
	q := &Sequential{Method: "PRACK", Dir: core.Downstream, Callee: callee, NoAnswer: m.prackTimeout, By: c,
		Headers: fmt.Sprintf("RAck: %d %d INVITE\r\n", n, d.InviteCSeq)}
	q.Done = func(o *transaction.Outcome) {
		if o.Code < 300 && !o.Local {
			return
		}
		m.env.Log.Warn("dialog: a PRACK has failed", "dialog", d.ID.String(), "code", o.Code)
		if m.prackHangsUp {
			m.tm.Layer().Do(o.Context, handle, func(x *transaction.Exchange, _ *proxy.Context) {
				if x.Responded() < 200 {
					x.Respond(502, nil, nil, nil, nil)
				}
			})
		}
	}
	m.Send(d, q)
}
