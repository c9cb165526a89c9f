package sipframe

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Size classes are the powers of two and three steps between each two of them: a message that is kept as long as a call
// rings wastes a tenth of its memory on average. What is larger than the largest class is not pooled.
const (
	minClassBits = 8  // 256 bytes
	maxClassBits = 20 // 1 MiB
	classes      = 4*(maxClassBits-minClassBits) + 1
)

var (
	pools [classes]sync.Pool // of *Buffer with its memory
	live  atomic.Int64
)

// Buffer is a piece of memory that many views share: who keeps a view keeps a
// reference, and the last to let go gives the memory back to its pool.
//
// Only the one who made the buffer fills it (Free, Advance), and only behind
// what the views were taken of: the bytes of a view do not change while
// somebody holds a reference. Retain and Release may be called by any goroutine.
type Buffer struct {
	mem  []byte // as large as its class; larger than all of them if not pooled
	fill uint32
	refs atomic.Int32
}

// NewBuffer gives an empty buffer for at least capacity bytes, with one
// reference, which belongs to the caller.
func NewBuffer(capacity int) *Buffer {
	size := classOf(capacity)
	var b *Buffer
	if size == classes {
		b = &Buffer{mem: make([]byte, capacity)}
	} else if b, _ = pools[size].Get().(*Buffer); b == nil {
		b = &Buffer{mem: make([]byte, sizeOf(size))}
	}
	b.fill = 0
	b.refs.Store(1)
	live.Add(1)
	return b
}

// sizeOf gives how many bytes a buffer of a class has.
func sizeOf(class uint8) int { return (4 + int(class&3)) << (minClassBits - 2 + class/4) }

// classOf gives the smallest class that holds n bytes.
func classOf(n int) uint8 {
	if n <= 1<<minClassBits {
		return 0
	}
	if n > 1<<maxClassBits {
		return classes
	}
	power := bits.Len(uint(n-1)) - 1       // the largest power of two below n
	quarters := (n - 1) >> (power - 2) & 3 // above that
	return uint8(4*(power-minClassBits) + quarters + 1)
}

// Bytes gives the filled part.
func (b *Buffer) Bytes() []byte { return b.mem[:b.fill:b.fill] }

// Free gives the part that is not filled. Write to its start, then Advance.
func (b *Buffer) Free() []byte { return b.mem[b.fill:] }

// Advance says that the first n bytes of Free have been written. It panics if
// there are not that many.
func (b *Buffer) Advance(n int) {
	if n < 0 || n > len(b.mem)-int(b.fill) {
		panic("sipframe: Buffer.Advance out of range")
	}
	b.fill += uint32(n)
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
	live.Add(-1)
	if size := classOf(len(b.mem)); size < classes {
		pools[size].Put(b)
	} else {
		b.mem = nil
	}
}

// LiveBuffers tells how many buffers are held at this moment, for tests that
// look for leaks and for statistics. Any goroutine may call it.
func LiveBuffers() int64 { return live.Load() }
