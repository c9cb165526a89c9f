package sipframe

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/valyala/bytebufferpool"
)

// Size classes are powers of two, so that what bytebufferpool learns in its
// calibration is the size of the class and nothing else. What is larger than
// the largest class is not pooled.
const (
	minClassBits = 9  // 512 bytes
	maxClassBits = 20 // 1 MiB
)

var (
	bytePools [maxClassBits - minClassBits + 1]bytebufferpool.Pool
	bufPool   = sync.Pool{New: func() any { return new(Buffer) }}
	live      atomic.Int64
)

// Buffer is a piece of memory that many views share: who keeps a view keeps a
// reference, and the last to let go gives the memory back to its pool.
//
// Only the one who made the buffer fills it (Free, Advance), and only behind
// what the views were taken of: the bytes of a view do not change while
// somebody holds a reference. Retain and Release may be called by any goroutine.
type Buffer struct {
	mem  *bytebufferpool.ByteBuffer
	fill int
	refs atomic.Int32
	size uint8 // index of the class; len(bytePools) if not pooled
}

// NewBuffer gives an empty buffer for at least capacity bytes, with one
// reference, which belongs to the caller.
func NewBuffer(capacity int) *Buffer {
	b := bufPool.Get().(*Buffer)
	b.size = classOf(capacity)
	b.fill = 0
	if int(b.size) < len(bytePools) {
		b.mem = bytePools[b.size].Get()
		if n := 1 << (b.size + minClassBits); cap(b.mem.B) != n {
			b.mem.B = make([]byte, 0, n)
		}
	} else {
		b.mem = &bytebufferpool.ByteBuffer{B: make([]byte, 0, capacity)}
	}
	b.refs.Store(1)
	live.Add(1)
	return b
}

// classOf gives the smallest class that holds n bytes.
func classOf(n int) uint8 {
	if n <= 1<<minClassBits {
		return 0
	}
	if n > 1<<maxClassBits {
		return uint8(len(bytePools))
	}
	return uint8(bits.Len(uint(n-1)) - minClassBits)
}

// Bytes gives the filled part.
func (b *Buffer) Bytes() []byte { return b.mem.B[:b.fill:b.fill] }

// Free gives the part that is not filled. Write to its start, then Advance.
func (b *Buffer) Free() []byte { return b.mem.B[b.fill:cap(b.mem.B)] }

// Advance says that the first n bytes of Free have been written. It panics if
// there are not that many.
func (b *Buffer) Advance(n int) {
	if n < 0 || n > cap(b.mem.B)-b.fill {
		panic("sipframe: Buffer.Advance out of range")
	}
	b.fill += n
}

// Retain takes one more reference and gives the buffer back, for chaining. It
// panics when the last reference is gone already.
func (b *Buffer) Retain() *Buffer {
	if b.refs.Add(1) <= 1 {
		panic("sipframe: Buffer.Retain after its last Release")
	}
	return b
}

// Release lets go of one reference. The last one gives the memory back: no
// view may be used any more. It panics when there is no reference left.
func (b *Buffer) Release() {
	switch n := b.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("sipframe: Buffer.Release without a reference")
	}
	if int(b.size) < len(bytePools) {
		b.mem.B = b.mem.B[:cap(b.mem.B)]
		bytePools[b.size].Put(b.mem)
	}
	b.mem = nil
	live.Add(-1)
	bufPool.Put(b)
}

// LiveBuffers tells how many buffers are held at this moment, for tests that
// look for leaks and for statistics. Any goroutine may call it.
func LiveBuffers() int64 { return live.Load() }
