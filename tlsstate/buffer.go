package tlsstate

import "sync"

// buffers are what machines hold only while there is something in them.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// keptCapacity is the largest buffer that goes back to the pool: room for a
// batch of full records, too little for one burst to stay in memory for good.
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

// bytes is what is in the store, valid until the next add, drop or free.
func (s *store) bytes() []byte {
	if s.buf == nil {
		return nil
	}
	return (*s.buf)[s.off:]
}

func (s *store) add(p []byte) {
	if len(p) == 0 {
		return
	}
	if s.buf == nil {
		s.buf = buffers.Get().(*[]byte)
		*s.buf = (*s.buf)[:0]
	}
	if s.off > 0 && len(*s.buf)+len(p) > cap(*s.buf) {
		*s.buf = (*s.buf)[:copy(*s.buf, (*s.buf)[s.off:])]
		s.off = 0
	}
	*s.buf = append(*s.buf, p...)
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
	if s.buf != nil {
		release(s.buf)
	}
	s.buf, s.off = nil, 0
}

// release gives a buffer back to the pool.
func release(b *[]byte) {
	if cap(*b) <= keptCapacity {
		buffers.Put(b)
	}
}
