package dialog

// schedule has Expire tell of a dialog at a time.
func (t *Table) schedule(d *Dialog, at int64) {
	t.wheel.mu.Lock()
	defer t.wheel.mu.Unlock()
	t.put(d, at)
}

// put is schedule with the wheel's lock held.
func (t *Table) put(d *Dialog, at int64) {
	w := &t.wheel
	t.unlink(d)
	d.due = max(at, w.swept+1)
	head := &w.slots[d.due%wheelSlots]
	d.before, d.behind = nil, *head
	if *head != nil {
		(*head).before = d
	}
	*head = d
}

// hasten is schedule where the dialog would be looked at later than that. One that lasts longer than it did is left
// where it is: Expire sees that, and one that has ended meanwhile does not stay for so long.
func (t *Table) hasten(d *Dialog, at int64) {
	w := &t.wheel
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.due == 0 || at < d.due {
		t.put(d, at)
	}
}

// unlink takes a dialog out of the wheel, which is locked.
func (t *Table) unlink(d *Dialog) {
	if d.due == 0 {
		return
	}
	if d.behind != nil {
		d.behind.before = d.before
	}
	if d.before != nil {
		d.before.behind = d.behind
	} else {
		t.wheel.slots[d.due%wheelSlots] = d.behind
	}
	d.before, d.behind, d.due = nil, nil, 0
}

// Expire calls over for each dialog whose time is over, which may set another time; one that has not is ended. It drops
// those that have ended long enough ago. It is called about once a second, by one goroutine.
func (t *Table) Expire(now int64, over func(*Dialog)) {
	var list []*Dialog
	w := &t.wheel
	w.mu.Lock()
	from := w.swept + 1
	if w.swept == 0 || now-w.swept > wheelSlots {
		from = now - wheelSlots + 1
	}
	for at := from; at <= now; at++ {
		for d := w.slots[((at%wheelSlots)+wheelSlots)%wheelSlots]; d != nil; {
			behind := d.behind
			if d.due <= now {
				t.unlink(d)
				list = append(list, d)
			}
			d = behind
		}
	}
	w.swept = max(w.swept, now)
	w.mu.Unlock()
	for _, d := range list {
		d.mu.Lock()
		state, expires := d.state, d.expires
		d.mu.Unlock()
		switch {
		case state == Ended:
			t.leave(d)
		case expires > now:
			t.hasten(d, expires)
		default:
			if over(d); d.Left(now) > 0 {
				continue // somebody wants it to last longer
			}
			d.End(Timeout, now)
			if why := d.Reason(); why == Timeout || why == Race { // which over may have ended it for
				t.expired.Add(1)
			}
		}
	}
}
