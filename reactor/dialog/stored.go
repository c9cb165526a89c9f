package dialog

import "slices"

// queue has a dialog stored. It is locked.
func (t *Table) queue(d *Dialog) {
	t.changed.mu.Lock()
	defer t.changed.mu.Unlock()
	t.changed.all = append(t.changed.all, d)
}

// Gone gives forget the dialogs that have ended and have a row yet, at most batch at a time, until none is left: whoever
// stores changes from time to time removes these at once, so that a program which dies brings no call back that is over.
// When forget returns an error, its batch is kept for the next call. One goroutine at a time calls Gone and Changed.
func (t *Table) Gone(batch int, forget func([]*Dialog) error) error {
	for {
		t.changed.mu.Lock()
		n := min(batch, len(t.changed.gone))
		taken := t.changed.gone[:n:n]
		t.changed.gone = t.changed.gone[n:]
		t.changed.mu.Unlock()
		if n == 0 {
			return nil
		}
		list := taken[:0:0]
		for _, d := range taken {
			d.mu.Lock()
			if d.stored {
				list = append(list, d)
			}
			d.mu.Unlock()
		}
		if len(list) == 0 {
			continue
		}
		if err := forget(list); err != nil {
			t.changed.mu.Lock()
			t.changed.gone = append(t.changed.gone, list...)
			t.changed.mu.Unlock()
			return err
		}
		for _, d := range list {
			d.mu.Lock()
			d.stored = false
			d.mu.Unlock()
		}
	}
}

// GoneIDs returns the IDs of the dialogs that Gone would give.
func (t *Table) GoneIDs() (ids []ID) {
	t.changed.mu.Lock()
	defer t.changed.mu.Unlock()
	for _, d := range t.changed.gone {
		ids = append(ids, d.ID)
	}
	return ids
}

// Stored is a dialog that has to be stored, or whose row has to go.
type Stored struct {
	Summary
	Delete bool
	Exists bool // there is a row of it
}

// Changed gives store what has changed since it was taken last, at most batch at a time, until nothing is left. When store
// returns an error, its batch is kept for the next call. Only dialogs that were answered are stored. One goroutine at a
// time.
func (t *Table) Changed(batch int, store func([]Stored) error) error {
	for {
		t.changed.mu.Lock()
		n := min(batch, len(t.changed.all))
		taken := append([]*Dialog(nil), t.changed.all[:n]...)
		rest := copy(t.changed.all, t.changed.all[n:])
		clear(t.changed.all[rest:])
		t.changed.all = t.changed.all[:rest]
		t.changed.mu.Unlock()
		if n == 0 {
			return nil
		}
		var list []Stored
		var of []*Dialog
		for _, d := range taken {
			if x, ok := d.take(); ok {
				list, of = append(list, x), append(of, d)
			}
		}
		if len(list) == 0 {
			continue
		}
		if err := store(list); err != nil {
			for _, d := range of {
				d.mu.Lock()
				d.change()
				d.mu.Unlock()
			}
			return err
		}
		for i, d := range of {
			d.mu.Lock()
			if d.stored = !list[i].Delete; d.stored && d.left {
				d.change()
			}
			d.mu.Unlock()
		}
	}
}

// Copy gives keep the calls that wait for Changed and go on to wait: with anew all, else those that have changed since keep had
// them. Those that have ended and have no row wait no more. It ends with the first error. One goroutine at a time calls it,
// Gone and Changed.
func (t *Table) Copy(anew bool, keep func(*Summary) error) error {
	t.changed.mu.Lock()
	all := slices.Clone(t.changed.all)
	t.changed.mu.Unlock()
	over := make(map[*Dialog]bool)
	defer func() {
		t.changed.mu.Lock()
		t.changed.all = slices.DeleteFunc(t.changed.all, func(d *Dialog) bool { return over[d] })
		t.changed.mu.Unlock()
	}()
	for _, d := range all {
		d.mu.Lock()
		runs, given := d.state != Ended && !d.left, d.copied && !anew
		if d.copied = true; !runs && !d.stored {
			over[d], d.dirty = true, false
		}
		answered := d.state >= Answered
		d.mu.Unlock()
		if !runs || given || !answered {
			continue
		}
		s := d.Summary()
		if err := keep(&s); err != nil {
			return err
		}
	}
	return nil
}

// take returns what is to be stored of a dialog, if anything is.
func (d *Dialog) take() (x Stored, ok bool) {
	s := d.Summary()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirty = false
	over := d.left || d.state == Ended
	if over && !d.stored || !over && d.state < Answered {
		return x, false
	}
	return Stored{Summary: s, Delete: over, Exists: d.stored}, true
}

// Waiting returns how many dialogs wait for Changed.
func (t *Table) Waiting() int {
	t.changed.mu.Lock()
	defer t.changed.mu.Unlock()
	return len(t.changed.all)
}

// Row is a dialog as it was stored.
type Row struct {
	ID                     ID
	CallID, FromURI, ToURI string
	FromTag, RequestURI    string
	State                  State
	Started, Expires       int64
	Flags                  Flag
	Script                 uint32
	Caller, Callee         Leg
	Values                 []Value
	Profiles               []Membership
	Parties                Parties
}

// Restore puts a dialog back. One whose time is over ends with the next Expire, as it would have. It reports false for one
// that is there already, was never answered or has ended, and where there is no room.
func (t *Table) Restore(r *Row) bool {
	if r.State < Answered || r.State == Ended || t.count.Load() >= int64(t.cfg.Max) {
		return false
	}
	d := &Dialog{
		ID: r.ID, CallID: r.CallID, FromTag: r.FromTag, FromURI: r.FromURI, ToURI: r.ToURI, RequestURI: r.RequestURI,
		Created: r.Started, Restored: true, table: t, state: r.State, started: r.Started, expires: r.Expires, timeout: r.Expires - r.Started,
		flags: r.Flags, script: r.Script, caller: r.Caller, values: r.Values, stored: true,
	}
	r.Callee.Answered = true
	d.callees, d.attached = append(d.room.callees[:0], r.Callee), d.room.attached[:0]
	if r.Parties != (Parties{}) {
		d.parties = &r.Parties
	}
	if !t.enter(d) {
		return false
	}
	for _, m := range r.Profiles {
		d.links = append(d.links, link{m.Profile, m.Value})
		m.Profile.add(m.Value, 1)
	}
	t.active.Add(1)
	t.schedule(d, d.expires)
	return true
}

// Touch has the dialog stored again.
func (d *Dialog) Touch() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.change()
}
