package dialog

import (
	"bytes"
	"time"

	"sipreactor/reactor"
	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// timeoutKey is the key of a $DLG_timeout that was set before the message had its dialog.
type timeoutKey struct{}

// nowhere is where a phony message comes from.
var nowhere reactor.Source

// happened follows transactions: transaction.Listener.
func (m *Module) happened(h *transaction.Happening) {
	x := h.Exchange
	if h.What == transaction.Created {
		if b := m.ownBond(h.Context); b != nil {
			x.Attach(bondKey{}, b)
		}
		return
	}
	b, ok := x.Attachment(bondKey{}).(*bond)
	if !ok {
		return
	}
	switch {
	case h.What == transaction.BranchOut:
		b.passes(h.Context)
	case h.What == transaction.Answered && h.Code < 300:
		b.passes(nil)
	}
	if b.verdict != 0 {
		m.within(h, b)
		return
	}
	d := b.dialog
	switch h.What {
	case transaction.RequestOut, transaction.Answered:
		m.told(h, b)
	default:
	}
	switch h.What {
	case transaction.ResponseIn:
		if x.Method() == sipframe.INVITE {
			m.heard(h, b, time.Now().Unix())
		}
	case transaction.Answered:
		if h.Code >= 300 {
			d.End(core.Failed, time.Now().Unix())
		}
	case transaction.Canceled:
		if d.Flags()&core.EndOnRace != 0 {
			d.Attach(raceKey, true)
		}
	case transaction.Lost, transaction.Over:
		if d.State() < core.Answered {
			d.End(core.Failed, time.Now().Unix())
		}
	default:
	}
}

// handleKey is the key of the bond of a dialog's INVITE.
var handleKey = new(int)

// raceKey marks a dialog whose INVITE was canceled.
var raceKey = new(int)

// heard notes a response to the INVITE.
func (m *Module) heard(h *transaction.Happening, b *bond, now int64) {
	d := b.dialog
	msg := h.Context.Msg
	to, err := msg.To()
	if err != nil {
		return
	}
	from, err := msg.From()
	if err != nil {
		return
	}
	leg := core.Said{Tag: msg.Bytes(to.Tag), From: msg.Bytes(from.URI), To: msg.Bytes(to.URI), Contact: contactOf(h.Context), Socket: h.Context.Src.Socket}
	if h.Code >= 200 || msg.Find(sipframe.HeaderRecordRoute) >= 0 {
		leg.Routes = m.calleeRoutes(h, d, msg)
	}
	if m.keeps(d.Flags()) && len(msg.Body()) > 0 {
		leg.SDP = bytes.Clone(msg.Body())
	}
	if h.Leg != nil {
		leg.Told = b.offers[h.Leg.Number()]
	}
	first := d.State() < core.Answered
	d.Heard(h.Code, &leg, now)
	switch {
	case h.Code < 200 && d.Flags()&core.AutoPRACK != 0:
		m.prack(h, d, leg.Tag)
	case h.Code >= 200 && h.Code < 300 && len(d.Unacked()) > 0:
		m.late.add(d, now)
	}
	if h.Code >= 200 && h.Code < 300 && first {
		if d.Attachment(raceKey) != nil {
			d.SetTimeout(m.raceTimeout, now)
		}
		m.pings.begin(m, d, now)
	}
}

// contactOf returns the URI of the Contact, with what the script has changed in it; nil without one. It is borrowed.
func contactOf(c *proxy.Context) []byte {
	a, err := c.Msg.Contact()
	if err != nil || a.Star {
		return nil
	}
	return c.Changed(a.URI)
}

// calleeRoutes returns the Route from here to the callee: the Record-Routes of a response above ours, from ours on.
func (m *Module) calleeRoutes(h *transaction.Happening, d *core.Dialog, msg *sipframe.Message) []byte {
	var room [64]byte
	own := d.ID.AppendTo(append(append(room[:0], m.param...), '=')) // ours names the dialog
	var list [][]byte
	it := msg.RecordRoutes()
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		var a sipframe.NameAddr
		var u sipframe.URI
		value := msg.Bytes(v)
		if bytes.Contains(value, own) || sipframe.ParseNameAddr(value, &a) != nil {
			break
		}
		uri := a.URI.In(value)
		if sipframe.ParseURI(uri, &u) != nil || h.Context.IsMyself(u.Host.In(uri), u.Port) {
			break
		}
		list = append(list, value)
	}
	var out []byte
	for i := len(list) - 1; i >= 0; i-- {
		if len(out) > 0 {
			out = append(out, ", "...)
		}
		out = append(out, list[i]...)
	}
	return out
}

// appendRoutes appends the values of a header of routes, joined.
func appendRoutes(out []byte, it sipframe.ValueIter, msg *sipframe.Message) []byte {
	begin := len(out)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if len(out) > begin {
			out = append(out, ", "...)
		}
		out = append(out, msg.Bytes(v)...)
	}
	return out
}

// follow finds the dialog of a later request. It reports whether there is one.
func (m *Module) follow(x *script.Machine, mode matchMode) bool {
	c := x.Context()
	msg := c.Msg
	if !msg.IsRequest() || !c.HasToTag() || m.dialogs == nil {
		return false
	}
	if m.ownBond(c) != nil {
		return true
	}
	from, err := msg.From()
	to, err2 := msg.To()
	if err != nil || err2 != nil {
		return false
	}
	did, _ := sipframe.FindParam(c.RouteParams(), m.param)
	d, dir := m.lookUp(did, msg.CallID(), msg.Bytes(from.Tag), msg.Bytes(to.Tag), mode)
	if d == nil {
		return false
	}
	var room [256]byte
	m.join(x, d, dir, &core.Way{URI: c.RequestURI(), Routes: c.AppendOthersRoutes(room[:0])})
	return true
}

// lookUp finds a dialog by its ID, or by Call-ID and tags, as the mode allows.
func (m *Module) lookUp(did, callID, from, to []byte, mode matchMode) (*core.Dialog, core.Direction) {
	if id, ok := core.ParseID(did); ok && mode != byTags {
		if d := m.dialogs.ByID(id); d != nil {
			if dir := d.DirectionOf(from, to); dir != core.Unknown && hasCallID(d, callID) {
				return d, dir
			}
			return nil, core.Unknown
		}
	}
	if mode == byDID {
		return nil, core.Unknown
	}
	return m.dialogs.ByTags(callID, from, to)
}

// hasCallID reports whether one of the sides of a dialog knows it by a Call-ID.
func hasCallID(d *core.Dialog, callID []byte) bool {
	if d.CallID == string(callID) {
		return true
	}
	v, ok := d.Get(CalleeCallID)
	return ok && v.Text == string(callID)
}

// within follows the transaction of a later request.
func (m *Module) within(h *transaction.Happening, b *bond) {
	if h.What == transaction.RequestOut || h.What == transaction.Answered {
		m.told(h, b)
	}
	if h.What != transaction.ResponseIn {
		return
	}
	c := h.Context
	if b.shift > 0 {
		_ = c.SetCSeq(b.cseq)
	}
	method := h.Exchange.Method()
	if h.Code >= 200 && h.Code < 300 && (method == sipframe.INVITE || method == sipframe.UPDATE) {
		b.dialog.Refresh(b.dir, []byte(b.tag), contactOf(c))
	}
}
