package wire

// Inbox is the peer's ciphertext that a library has not taken yet, in one
// piece: what Feed lent, or what was kept of earlier feeds. Its zero value is
// empty and holds no buffer. It has one owner at a time.
type Inbox struct {
	lent []byte
	kept Store
}

// Feed gives more bytes, behind those of earlier feeds. They are borrowed until
// Keep, Free or the next Feed.
func (i *Inbox) Feed(b []byte) {
	i.Keep()
	if i.kept.Len() > 0 {
		i.kept.Add(b)
		return
	}
	i.lent = b
}

// Keep copies what is left of the lent bytes: their owner wants them back.
func (i *Inbox) Keep() {
	i.kept.Add(i.lent)
	i.lent = nil
}

// Waiting is what was not dropped yet, valid until the next change.
func (i *Inbox) Waiting() []byte {
	if len(i.lent) > 0 {
		return i.lent
	}
	return i.kept.Bytes()
}

// Drop takes n of the waiting bytes off the front.
func (i *Inbox) Drop(n int) {
	if len(i.lent) > 0 {
		i.lent = i.lent[n:]
		return
	}
	i.kept.Drop(n)
}

// Return lets go of the lent bytes without reading the rest of them.
func (i *Inbox) Return() { i.lent = nil }

// Holds tells whether the inbox holds a buffer or borrows one.
func (i *Inbox) Holds() bool { return i.lent != nil || i.kept.Holds() }

// Free empties the inbox.
func (i *Inbox) Free() {
	i.lent = nil
	i.kept.Free()
}
