package dialog

import "sipreactor/reactor"

// Said is what a response of a callee to the INVITE says of its sender. Texts are views: what is new is copied.
type Said struct {
	Tag, Contact, Routes []byte
	From, To             []byte // URIs; empty: not known
	Socket               *reactor.Socket
	SDP, Told            []byte // kept as they are
}

// keep has text be what was said. It reports whether it was something else.
func keep(text *string, said []byte) bool {
	if *text == string(said) {
		return false
	}
	*text = string(said)
	return true
}

// first returns what a side is of which nothing was heard before. Its texts are one.
func (s *Said) first(sent uint32) Leg {
	var room [256]byte
	all := string(append(append(append(room[:0], s.Tag...), s.Contact...), s.Routes...))
	contact, routes := len(s.Tag), len(s.Tag)+len(s.Contact)
	return Leg{Tag: all[:contact], Contact: all[contact:routes], Routes: all[routes:], Sent: sent}
}

// Heard notes a response of a callee to the INVITE: code, and what it said of itself.
func (d *Dialog) Heard(code int, leg *Said, now int64) {
	if len(leg.Tag) == 0 || code >= 300 || code <= 100 {
		return
	}
	d.mu.Lock()
	i := d.calleeOf(leg.Tag)
	if i < 0 {
		if len(d.callees) == maxLegs {
			d.mu.Unlock()
			return
		}
		i = len(d.callees)
		d.callees = append(d.callees, leg.first(d.InviteCSeq))
	}
	c := &d.callees[i]
	if len(leg.Contact) > 0 {
		keep(&c.Contact, leg.Contact)
	}
	if len(leg.Routes) > 0 || code >= 200 {
		keep(&c.Routes, leg.Routes)
	}
	if leg.Socket != nil {
		c.Socket = leg.Socket
	}
	if leg.SDP != nil {
		c.SDP = leg.SDP
	}
	if leg.Told != nil && c.Told == nil { // what a later request has told counts more
		c.Told = leg.Told
	}
	if code < 200 && d.answered < 0 {
		d.named(leg.From, leg.To)
	}
	e := ring
	if code >= 200 {
		e = answer
		c.Answered = true
		if d.answered < 0 {
			d.answered = i
			d.named(leg.From, leg.To)
			if d.state != Ended {
				d.started = now
				d.expires = now + d.timeout
			}
		}
	}
	d.change()
	changed := d.move(e)
	d.mu.Unlock() // that it lasts longer now is seen when it is due as before: see Expire
	d.table.tell(changed)
}

func (d *Dialog) calleeOf(tag []byte) int {
	for i := range d.callees {
		if d.callees[i].Tag == string(tag) {
			return i
		}
	}
	return -1
}

// move changes the state by an event. The dialog is locked.
func (d *Dialog) move(e event) Change {
	to := next[d.state][e]
	if to == 0 {
		return Change{}
	}
	c := Change{Dialog: d, Old: d.state, New: to}
	d.state = to
	return c
}

// Acked notes the ACK to the 2xx of the callee with a tag.
func (d *Dialog) Acked(tag []byte) {
	d.mu.Lock()
	if i := d.calleeOf(tag); i >= 0 {
		d.callees[i].Acked = true
	}
	changed := d.move(ack)
	d.change()
	d.mu.Unlock()
	d.table.tell(changed)
}

// End ends the dialog. It reports whether it had not ended before.
func (d *Dialog) End(why Reason, now int64) bool {
	d.mu.Lock()
	changed := d.move(end)
	if changed.Dialog == nil {
		d.mu.Unlock()
		return false
	}
	d.reason, d.ended = why, now
	d.change()
	if d.stored {
		d.table.changed.mu.Lock()
		d.table.changed.gone = append(d.table.changed.gone, d)
		d.table.changed.mu.Unlock()
	}
	links, keep := d.links, d.delay
	if keep < lingering {
		keep = lingering
	}
	d.mu.Unlock()
	for _, l := range links {
		l.profile.add(l.value, -1)
	}
	d.table.schedule(d, now+keep)
	d.table.tell(changed)
	return true
}

// Bye notes a BYE between the caller and the callee with a tag. Where a fork has given the caller more than one call (RFC
// 3261 13.2.2.4), the dialog is the others' from then on; the last one's ends it. It reports whether it has ended.
func (d *Dialog) Bye(tag []byte, why Reason, now int64) bool {
	d.mu.Lock()
	i := d.calleeOf(tag)
	if other := d.another(i); other >= 0 {
		if d.callees[i].Over = true; d.answered == i {
			d.answered = other
			d.change()
		}
		d.mu.Unlock()
		return false
	}
	d.mu.Unlock()
	return d.End(why, now)
}

// Ends reports whether a BYE between the caller and the callee with a tag ends the dialog.
func (d *Dialog) Ends(tag []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.another(d.calleeOf(tag)) < 0
}

// another returns a callee besides number i whose call goes on: which was the first to answer, or has been acknowledged;
// -1: there is none. The dialog is locked.
func (d *Dialog) another(i int) int {
	if i < 0 || d.state == Ended {
		return -1
	}
	for j := range d.callees {
		if c := &d.callees[j]; j != i && c.Answered && !c.Over && (c.Acked || j == d.answered) {
			return j
		}
	}
	return -1
}

// lingering is how many seconds an ended dialog is listed, and found by what is late.
const lingering = 4

// Refresh notes the Contact of a 2xx to a request that refreshes targets, which went that way; tag is the callee's.
func (d *Dialog) Refresh(dir Direction, tag, contact []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, to := d.sides(dir, tag); to != nil && len(contact) > 0 && keep(&to.Contact, contact) {
		d.change()
	}
}

// Side returns what a request to one side needs: the side itself, and the other one, whom it is from. number is the CSeq
// that it is to have; with count it is counted, which an ACK is not. callee is which of the callees is meant; -1 the one that
// answered.
func (d *Dialog) Side(dir Direction, callee int, count bool) (to, from Leg, number uint32, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.callee()
	if callee >= 0 && callee < len(d.callees) {
		c = &d.callees[callee]
	}
	if c == nil {
		return to, from, 0, false
	}
	target, other := c, &d.caller
	if dir == Upstream {
		target, other = &d.caller, c
	}
	if count {
		target.Sent = max(target.Sent, other.CSeq+target.Own) + 1
		target.Own++
		d.change()
	}
	return *target, *other, target.Sent, true
}

// Reached returns the side that requests of a direction reach; tag is the callee's, of a fork.
func (d *Dialog) Reached(dir Direction, tag []byte) (Leg, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, to := d.sides(dir, tag); to != nil {
		return *to, true
	}
	return Leg{}, false
}

// Told notes the SDP that a side was sent; tag is the callee's.
func (d *Dialog) Told(dir Direction, tag string, sdp []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, to := d.sides(dir, []byte(tag)); to != nil {
		to.Told = sdp
	}
}

// IncCSeq has the CSeq of our own requests to the side with a tag, and of all that go there, grow by n. It reports whether
// there is such a side, and whether nothing would become negative.
func (d *Dialog) IncCSeq(tag string, n int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &d.caller
	if tag != d.FromTag {
		i := d.calleeOf([]byte(tag))
		if i < 0 {
			return false
		}
		l = &d.callees[i]
	}
	if own := int64(l.Own) + n; own < 0 || own > 1<<30 {
		return false
	}
	l.Own, l.Sent = uint32(int64(l.Own)+n), uint32(max(0, int64(l.Sent)+n))
	d.change()
	return true
}

// Reliable notes a reliable provisional response of the callee with a tag. It returns which callee that is, and -1 for one
// that was noted already.
func (d *Dialog) Reliable(tag []byte, rseq uint32) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.calleeOf(tag)
	if i < 0 || rseq <= d.callees[i].RSeq {
		return -1
	}
	d.callees[i].RSeq = rseq
	return i
}

// Unacked returns the callees that have answered and neither are the one that counts nor were acknowledged by the caller;
// of a dialog that has ended, that one, too.
func (d *Dialog) Unacked() (list []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.callees {
		if c := &d.callees[i]; c.Answered && !c.Acked && !c.Over && (i != d.answered || d.state == Ended) {
			list = append(list, i)
		}
	}
	return list
}
