// Package slab is where a loop has the plaintext of what it reads: buffers that the
// messages of many connections share, each message a view with a reference of its own, and
// in how many pieces the bytes of the read under way came.
//
// A Slab is its loop's, who alone calls it; what it hands out with a reference may go
// anywhere. An idle loop holds no buffer.
package slab

import "sipreactor/sipframe"

const (
	// recordSize is the room that a read wants: what a TLS record holds at most (RFC 8446 5.1).
	recordSize = 16 << 10
	// size is what is decrypted into at a time. It goes back to its pool when the last
	// message in it is done with.
	size = 64 << 10
)

// Slab is a loop's. The zero value is ready.
type Slab struct {
	buf   *sipframe.Buffer
	reads []read // of plaintext, since Begin
	fresh int    // offset at which the bytes of these begin
}

// Begin prepares for what a connection reads: rest, the beginning of a message that came
// earlier, is copied, with room for a record behind it. It returns the offset of that.
func (s *Slab) Begin(rest []byte) (base int) {
	s.room(len(rest) + recordSize)
	base = len(s.buf.Bytes())
	s.buf.Advance(copy(s.buf.Free(), rest))
	s.reads, s.fresh = s.reads[:0], len(s.buf.Bytes())
	return base
}

// Put copies a datagram and returns it as it stands here.
func (s *Slab) Put(datagram []byte) []byte {
	s.room(len(datagram))
	base := len(s.buf.Bytes())
	s.buf.Advance(copy(s.buf.Free(), datagram))
	b := s.buf.Bytes()
	return b[base:len(b):len(b)]
}

// room takes a fresh buffer unless there is room for n bytes.
func (s *Slab) room(n int) {
	if s.buf != nil && len(s.buf.Free()) >= n {
		return
	}
	s.Release()
	s.buf = sipframe.NewBuffer(max(n, size))
}

// Full reports whether there is no room for a record, and Turn is wanted.
func (s *Slab) Full() bool { return len(s.buf.Free()) < recordSize }

// Free is the room behind what is there.
func (s *Slab) Free() []byte { return s.buf.Free() }

// Took notes that a read of plaintext has brought n bytes above 0 into Free, where secure as
// a TLS record.
func (s *Slab) Took(n int, secure bool) {
	s.buf.Advance(n)
	s.reads = append(s.reads, read{end: len(s.buf.Bytes()), small: secure && n < smallRecord})
}

// Bytes is all that is there, of other connections too.
func (s *Slab) Bytes() []byte { return s.buf.Bytes() }

// Retain returns the buffer that Bytes is in, with one more reference.
func (s *Slab) Retain() *sipframe.Buffer { return s.buf.Retain() }

// Turn goes on in a fresh buffer, with the bytes from offset from on in front.
func (s *Slab) Turn(from int) {
	rest := s.buf.Bytes()[from:]
	b := sipframe.NewBuffer(max(size, len(rest)+2*recordSize))
	b.Advance(copy(b.Free(), rest))
	kept := s.reads[:0]
	for _, r := range s.reads {
		if r.end > from {
			kept = append(kept, read{end: r.end - from, small: r.small})
		}
	}
	s.reads, s.fresh = kept, max(s.fresh-from, 0)
	s.buf.Release()
	s.buf = b
}

// Rest lets go of the buffer when there is no room for a record in it.
func (s *Slab) Rest() {
	if s.buf != nil && s.Full() {
		s.Release()
	}
}

// Release lets go of the buffer.
func (s *Slab) Release() {
	if s.buf != nil {
		s.buf.Release()
		s.buf = nil
	}
}

// Keep copies bytes into a buffer of their own.
func Keep(b []byte) *sipframe.Buffer {
	own := sipframe.NewBuffer(len(b))
	own.Advance(copy(own.Free(), b))
	return own
}
