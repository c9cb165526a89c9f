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

// Within is what a request in a dialog says. Texts are views: what is new is copied.
type Within struct {
	Dir     Direction
	Tag     []byte // of the callee
	CSeq    uint32
	Target  bool   // it refreshes the target (INVITE, UPDATE)
	Contact []byte // of its sender; empty: none
	URI     []byte // Request-URI
	Routes  []byte // Routes behind ours, joined by commas
	NoCount bool   // ACK: its CSeq is the INVITE's
	Invite  bool
	SDP     []byte
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

// Check looks whether a request fits what is known (validate_dialog). It changes nothing.
func (d *Dialog) Check(w *Within) Verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	from, to := d.sides(w.Dir, w.Tag)
	switch {
	case from == nil || to == nil || w.Dir == Unknown:
		return BadRequest
	case !w.NoCount && w.CSeq <= from.CSeq && from.CSeq != 0:
		return BadCSeq
	case to.Contact != "" && string(w.URI) != to.Contact:
		return BadTarget
	case string(w.Routes) != to.Routes:
		return BadRoutes
	}
	return Valid
}

// Shift tells what the CSeq of a request has to grow by, since requests of our own went that way. It changes nothing.
func (d *Dialog) Shift(w *Within) uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, to := d.sides(w.Dir, w.Tag)
	return d.shift(w, to)
}

// shift is Shift for a request that goes to a side; nil is nobody. The dialog is locked.
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

// Saw notes a request of the dialog, once it is let pass; tag is the callee's, in the place of w's, which the message has
// taken along. It returns its Shift as of now.
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
