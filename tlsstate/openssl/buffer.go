//go:build openssl

package openssl

import "sync"

// buffers are what machines hold only while there is something in them.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// keptCapacity is the largest buffer that goes back to the pool: one burst
// shall not stay in memory for good.
const keptCapacity = 128 << 10

// store is bytes in a pooled buffer, added at the end, taken from the front.
// Its zero value is empty and holds no buffer.
type store struct {
	buf *[]byte
	off int
}

func (s *store) len() int {
	if s.buf == nil {
		return 0
	}
	return len(*s.buf) - s.off
}

// bytes is what is in the store, valid until the next change.
func (s *store) bytes() []byte {
	if s.buf == nil {
		return nil
	}
	return (*s.buf)[s.off:]
}

// spare gives room for n bytes or more behind the end, for advance.
func (s *store) spare(n int) []byte {
	if s.buf == nil {
		s.buf = buffers.Get().(*[]byte)
		*s.buf = (*s.buf)[:0]
	}
	b := *s.buf
	if cap(b)-len(b) < n && s.off > 0 {
		b = b[:copy(b, b[s.off:])]
		s.off = 0
	}
	if cap(b)-len(b) < n {
		bigger := make([]byte, len(b), 2*cap(b)+n)
		copy(bigger, b)
		b = bigger
	}
	*s.buf = b
	return b[len(b):cap(b)]
}

// advance says that n bytes of the spare room were filled.
func (s *store) advance(n int) {
	*s.buf = (*s.buf)[:len(*s.buf)+n]
	s.drop(0)
}

func (s *store) add(p []byte) {
	if len(p) > 0 {
		copy(s.spare(len(p)), p)
		s.advance(len(p))
	}
}

// drop takes n bytes off the front; the buffer goes back when it is empty.
func (s *store) drop(n int) {
	if s.buf == nil {
		return
	}
	if s.off += n; s.off >= len(*s.buf) {
		s.free()
	}
}

func (s *store) free() {
	if s.buf != nil && cap(*s.buf) <= keptCapacity {
		buffers.Put(s.buf)
	}
	s.buf, s.off = nil, 0
}

// inbox is the ciphertext of the peer that libssl has not taken yet: what Feed
// lent, or what was kept of it.
type inbox struct {
	lent []byte
	kept store
}

// feed gives more bytes, behind those of earlier feeds.
func (i *inbox) feed(b []byte) {
	i.keep()
	if i.kept.len() > 0 {
		i.kept.add(b)
		return
	}
	i.lent = b
}

// keep copies what is left of the lent bytes: their owner wants them back.
func (i *inbox) keep() {
	i.kept.add(i.lent)
	i.lent = nil
}

func (i *inbox) waiting() []byte {
	if len(i.lent) > 0 {
		return i.lent
	}
	return i.kept.bytes()
}

func (i *inbox) drop(n int) {
	if len(i.lent) > 0 {
		i.lent = i.lent[n:]
		return
	}
	i.kept.drop(n)
}

func (i *inbox) free() {
	i.lent = nil
	i.kept.free()
}
