package dialog

import (
	"bytes"
	"fmt"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// calleeTag returns the tag of the callee in a later request.
func calleeTag(msg *sipframe.Message, dir core.Direction) []byte {
	side := msg.To
	if dir == core.Upstream {
		side = msg.From
	}
	a, err := side()
	if err != nil {
		return nil
	}
	return msg.Bytes(a.Tag)
}

// joined is the bond of a later request.
type joined struct {
	bond   bond
	within core.Within
}

// join bonds a request with its dialog. Who sends it may be anybody, and the script has not said yet whether it is to pass:
// what it changes waits for that.
func (m *Module) join(x *script.Machine, d *core.Dialog, dir core.Direction, way *core.Way) {
	c := x.Context()
	msg := c.Msg
	method := msg.Method()
	seq, _, _ := msg.CSeq()
	j := new(joined)
	w := &j.within
	*w = core.Within{Dir: dir, CSeq: seq, NoCount: method == sipframe.ACK,
		Invite: method == sipframe.INVITE, Target: method == sipframe.INVITE || method == sipframe.UPDATE}
	if w.Target {
		w.Contact = bytes.Clone(contactOf(c))
		if m.keeps(d.Flags()) && len(msg.Body()) > 0 {
			w.SDP = bytes.Clone(msg.Body())
		}
	}
	b := &j.bond
	*b = bond{dialog: d, dir: dir, cseq: seq, said: w, method: method}
	way.Tag = calleeTag(msg, dir)
	b.tag, b.verdict, b.shift = d.Look(w, way)
	m.bind(c, b)
	if e := transaction.Of(c); e != nil {
		e.Attach(bondKey{}, b)
	}
	if b.shift > 0 && method != sipframe.CANCEL {
		b.renumber(c)
	}
	for _, f := range m.onRequest {
		f(x, placeOf(b))
	}
}

// Decided is told what becomes of the request: proxy.Decided. A BYE to a peer that is gone ends the call, too: it has passed.
func (b *bond) Decided(c *proxy.Context, code int) {
	if code < 300 {
		b.passes(c)
	}
}

// passes notes a later request in its dialog, as it is sent on or answered with a 2xx. c has it where it is sent on.
func (b *bond) passes(c *proxy.Context) {
	if b.borrow != nil {
		b = b.borrow
	}
	w := b.said
	if w == nil {
		return
	}
	b.said = nil
	var room [64]byte
	tag := append(room[:0], b.tag...)
	if shift := b.dialog.Saw(w, tag); shift != b.shift && c != nil && b.method != sipframe.CANCEL { // requests of ours went before it
		b.shift = shift
		b.renumber(c)
	}
	switch {
	case b.method == sipframe.ACK && b.dir == core.Downstream:
		b.dialog.Acked(tag)
	case b.method == sipframe.BYE:
		b.dialog.Bye(tag, byeOf(b.dir), time.Now().Unix())
	}
}

// renumber has a request count those of ours that went its way, and a PRACK name the INVITE by the number that the other
// side has of it (RFC 3262 7.2).
func (b *bond) renumber(c *proxy.Context) {
	_ = c.SetCSeq(b.cseq + b.shift)
	i := c.Msg.Find(sipframe.HeaderRAck)
	if b.method != sipframe.PRACK || i < 0 {
		return
	}
	rack := bytes.Fields(c.Msg.Bytes(c.Msg.Header(i).Value))
	if len(rack) != 3 {
		return
	}
	if n, ok := sipframe.ParseUint(rack[1], 1<<32-1); ok {
		seq := uint32(n)
		_ = c.SetHeaderValue(i, fmt.Appendf(nil, "%s %d %s", rack[0], seq+b.dialog.InviteShift(b.dir, []byte(b.tag), seq), rack[2]))
	}
}

func byeOf(dir core.Direction) core.Reason {
	if dir == core.Downstream {
		return core.DownstreamBYE
	}
	return core.UpstreamBYE
}

// state is the state of the dialog as the script of a message sees it: as it will be once that passes.
func (b *bond) state() core.State {
	s := b.dialog.State()
	switch {
	case b.said == nil:
	case b.method == sipframe.BYE && b.dialog.Ends([]byte(b.tag)):
		return core.Ended
	case b.method == sipframe.ACK && b.dir == core.Downstream && s == core.Answered:
		return core.Confirmed
	}
	return s
}

// reason is why the dialog has ended, seen in the same way.
func (b *bond) reason() core.Reason {
	if b.said != nil && b.method == sipframe.BYE && b.dialog.State() != core.Ended && b.dialog.Ends([]byte(b.tag)) {
		return byeOf(b.dir)
	}
	return b.dialog.Reason()
}
