package dialog

// Verdict is what Check says of a request.
type Verdict int8

// The verdicts, as validate_dialog() returns them.
const (
	Valid      Verdict = 1
	BadCSeq    Verdict = -1
	BadTarget  Verdict = -2
	BadRoutes  Verdict = -3
	BadRequest Verdict = -4
)

// Within is what a request in a dialog says that may change it. Texts are views: what is new is copied.
type Within struct {
	Dir     Direction
	CSeq    uint32
	Target  bool   // it refreshes the target (INVITE, UPDATE)
	Contact []byte // of its sender; empty: none
	NoCount bool   // ACK: its CSeq is the INVITE's
	Invite  bool
	SDP     []byte
}

// Way is how a request in a dialog goes. All are views.
type Way struct {
	Tag    []byte // of the callee
	URI    []byte // Request-URI
	Routes []byte // Routes behind ours, joined by commas
}

// sides returns who sends and who gets what goes that way; tag is the callee's, of a fork. The dialog is locked.
func (d *Dialog) sides(dir Direction, tag []byte) (from, to *Leg) {
	callee := d.callee()
	if i := d.calleeOf(tag); i >= 0 {
		callee = &d.callees[i]
	}
	if dir == Upstream {
		return callee, &d.caller
	}
	return &d.caller, callee
}

func (d *Dialog) callee() *Leg {
	switch {
	case d.answered >= 0:
		return &d.callees[d.answered]
	case len(d.callees) > 0:
		return &d.callees[0]
	default:
		return nil
	}
}

// Look looks at a request, and changes nothing. It returns the tag of its callee as the dialog keeps it, whether the request
// fits what is known (validate_dialog), and what its CSeq has to grow by, since requests of our own went that way.
func (d *Dialog) Look(w *Within, way *Way) (tag string, v Verdict, shift uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, to := d.sides(w.Dir, way.Tag)
	if i := d.calleeOf(way.Tag); i >= 0 {
		tag = d.callees[i].Tag
	} else {
		tag = string(way.Tag)
	}
	return tag, w.fits(way, from, to), d.shift(w, to)
}

// fits tells whether a request fits its sender and whom it goes to.
func (w *Within) fits(way *Way, from, to *Leg) Verdict {
	switch {
	case from == nil || to == nil || w.Dir == Unknown:
		return BadRequest
	case !w.NoCount && w.CSeq <= from.CSeq && from.CSeq != 0:
		return BadCSeq
	case to.Contact != "" && string(way.URI) != to.Contact:
		return BadTarget
	case string(way.Routes) != to.Routes:
		return BadRoutes
	}
	return Valid
}

// shift is what the CSeq of a request that goes to a side has to grow by; nil is nobody. The dialog is locked.
func (d *Dialog) shift(w *Within, to *Leg) uint32 {
	switch {
	case to == nil:
		return 0
	case w.NoCount && to.Invite == w.CSeq && to.Invite != 0:
		return to.InviteShift
	case w.NoCount && w.Dir == Downstream && w.CSeq == d.InviteCSeq:
		return 0
	case w.Invite && to.Invite == w.CSeq: // again
		return to.InviteShift
	}
	return to.Own
}

// InviteShift tells what the CSeq of an INVITE has grown by that went that way; tag is the callee's.
func (d *Dialog) InviteShift(dir Direction, tag []byte, seq uint32) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, to := d.sides(dir, tag)
	return d.shift(&Within{Dir: dir, CSeq: seq, NoCount: true}, to) // as an ACK's does
}

// Saw notes a request of the dialog, once it is let pass; tag is the callee's. It returns what its CSeq has to grow by now.
func (d *Dialog) Saw(w *Within, tag []byte) (shift uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, to := d.sides(w.Dir, tag)
	if from == nil {
		return 0
	}
	shift = d.shift(w, to)
	if to != nil && w.Invite {
		to.Invite, to.InviteShift = w.CSeq, shift
	}
	if !w.NoCount {
		from.CSeq = max(from.CSeq, w.CSeq)
		if to != nil {
			to.Sent = max(to.Sent, w.CSeq+to.Own)
		}
	}
	if w.Target && len(w.Contact) > 0 && keep(&from.Contact, w.Contact) {
		d.change()
	}
	if w.SDP != nil {
		from.SDP = w.SDP
	}
	return shift
}
