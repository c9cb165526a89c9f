package wire

import "sync"

// buffers are what machines hold only while there is something in them.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// KeptCapacity is the largest buffer that goes back to the pool: room for a
// batch of full records, too little for one burst to stay in memory for good.
const KeptCapacity = 128 << 10

// Buffer gives an empty buffer of the pool.
func Buffer() *[]byte {
	b := buffers.Get().(*[]byte)
	*b = (*b)[:0]
	return b
}

// Release gives a buffer back to the pool.
func Release(b *[]byte) {
	if cap(*b) <= KeptCapacity {
		buffers.Put(b)
	}
}

// Store is bytes in a pooled buffer, added at the end, taken from the front.
// Its zero value is empty and holds no buffer. It has one owner at a time.
type Store struct {
	buf *[]byte
	off int
}

// Len is how many bytes are in the store.
func (s *Store) Len() int {
	if s.buf == nil {
		return 0
	}
	return len(*s.buf) - s.off
}

// Holds tells whether the store holds a buffer.
func (s *Store) Holds() bool { return s.buf != nil }

// Bytes is what is in the store, valid until the next change.
func (s *Store) Bytes() []byte {
	if s.buf == nil {
		return nil
	}
	return (*s.buf)[s.off:]
}

// Add puts a copy of p at the end.
func (s *Store) Add(p []byte) {
	if len(p) == 0 {
		return
	}
	s.hold()
	s.settle(len(p))
	*s.buf = append(*s.buf, p...)
}

// Spare gives room for n bytes or more behind the end, for Advance.
func (s *Store) Spare(n int) []byte {
	s.hold()
	s.settle(n)
	b := *s.buf
	if cap(b)-len(b) < n {
		bigger := make([]byte, len(b), 2*cap(b)+n)
		copy(bigger, b)
		b = bigger
	}
	*s.buf = b
	return b[len(b):cap(b)]
}

// Advance says that n bytes of the spare room were filled. Without any in the
// store the buffer goes back.
func (s *Store) Advance(n int) {
	if s.buf == nil {
		return
	}
	*s.buf = (*s.buf)[:len(*s.buf)+n]
	s.Drop(0)
}

func (s *Store) hold() {
	if s.buf == nil {
		s.buf = Buffer()
	}
}

// settle moves what is there to the front when n bytes do not fit behind it.
func (s *Store) settle(n int) {
	if s.off > 0 && len(*s.buf)+n > cap(*s.buf) {
		*s.buf = (*s.buf)[:copy(*s.buf, (*s.buf)[s.off:])]
		s.off = 0
	}
}

// Drop takes n bytes off the front; the buffer goes back when it is empty.
func (s *Store) Drop(n int) {
	if s.buf == nil {
		return
	}
	if s.off += n; s.off >= len(*s.buf) {
		s.Free()
	}
}

// Free empties the store.
func (s *Store) Free() {
	if s.buf != nil {
		Release(s.buf)
	}
	s.buf, s.off = nil, 0
}
