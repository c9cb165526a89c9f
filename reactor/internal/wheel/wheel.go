// Package wheel expires what is idle. A wheel belongs to one goroutine.
package wheel

// Slots is the seconds a wheel looks ahead; a later expiry is looked at
// again when the wheel has come round.
const Slots = 256

// Wheel expires idle connections: a list for each second. A connection that was
// active is not moved: when its second comes it goes to the one it now has. So
// expiry costs O(1) a connection, and activity costs nothing. The zero
// value begins at second 0.
type Wheel[T any, P Linked[T]] struct {
	at    int64
	slots [Slots]P
}

// Link is an entry's place in its wheel. The zero value is in none.
type Link[T any] struct {
	prev, next *T
	slot       int32 // the list it is in, plus one; 0 = none
}

// Linked is what a wheel lists: a pointer to T that has a Link.
type Linked[T any] interface {
	*T
	WheelLink() *Link[T]
}

// Start sets the second it is now.
func (w *Wheel[T, P]) Start(now int64) { w.at = now }

// Put lists c, which is in no list, under a second.
func (w *Wheel[T, P]) Put(c P, due int64) {
	due = min(max(due, w.at+1), w.at+Slots-1)
	slot := int32(due % Slots)
	head := w.slots[slot]
	*c.WheelLink() = Link[T]{next: head, slot: slot + 1}
	if head != nil {
		head.WheelLink().prev = c
	}
	w.slots[slot] = c
}

// Remove takes c off its list, if it is in one.
func (w *Wheel[T, P]) Remove(c P) {
	k := c.WheelLink()
	if k.slot == 0 {
		return
	}
	if k.prev != nil {
		P(k.prev).WheelLink().next = k.next
	} else {
		w.slots[k.slot-1] = k.next
	}
	if k.next != nil {
		P(k.next).WheelLink().prev = k.prev
	}
	*k = Link[T]{}
}

// Advance works off the seconds up to now. expire ends an entry or puts it back.
func (w *Wheel[T, P]) Advance(now int64, expire func(P, int64)) {
	// Seconds that were missed by more than a round would visit lists twice.
	w.at = max(w.at, now-Slots)
	for w.at < now {
		w.at++
		slot := w.at % Slots
		for c := w.slots[slot]; c != nil; c = w.slots[slot] {
			w.Remove(c)
			expire(c, now)
		}
	}
}
