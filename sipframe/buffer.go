package sipframe

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Size classes are the powers of two and what is half way between them: a message that is kept as long as a call rings
// wastes a sixth of its memory on average. What is larger than the largest class is not pooled.
const (
	minClassBits = 8  // 256 bytes
	maxClassBits = 20 // 1 MiB
	classes      = 2*(maxClassBits-minClassBits) + 1
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
	mem  []byte
	fill int
	refs atomic.Int32
	size uint8 // index of the class; classes if not pooled
}

// NewBuffer gives an empty buffer for at least capacity bytes, with one
// reference, which belongs to the caller.
func NewBuffer(capacity int) *Buffer {
	size := classOf(capacity)
	var b *Buffer
	if size == classes {
		b = &Buffer{mem: make([]byte, capacity), size: size}
	} else if b, _ = pools[size].Get().(*Buffer); b == nil {
		b = &Buffer{mem: make([]byte, sizeOf(size)), size: size}
	}
	b.fill = 0
	b.refs.Store(1)
	live.Add(1)
	return b
}

// sizeOf gives how many bytes a buffer of a class has.
func sizeOf(class uint8) int { return (2 + int(class&1)) << (minClassBits - 1 + class/2) }

// classOf gives the smallest class that holds n bytes.
func classOf(n int) uint8 {
	if n <= 1<<minClassBits {
		return 0
	}
	if n > 1<<maxClassBits {
		return classes
	}
	class := uint8(2 * (bits.Len(uint(n-1)) - minClassBits))
	if n <= sizeOf(class-1) {
		class--
	}
	return class
}

// Bytes gives the filled part.
func (b *Buffer) Bytes() []byte { return b.mem[:b.fill:b.fill] }

// Free gives the part that is not filled. Write to its start, then Advance.
func (b *Buffer) Free() []byte { return b.mem[b.fill:] }

// Advance says that the first n bytes of Free have been written. It panics if
// there are not that many.
func (b *Buffer) Advance(n int) {
	if n < 0 || n > len(b.mem)-b.fill {
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
	live.Add(-1)
	if b.size < classes {
		pools[b.size].Put(b)
	} else {
		b.mem = nil
	}
}

// LiveBuffers tells how many buffers are held at this moment, for tests that
// look for leaks and for statistics. Any goroutine may call it.
func LiveBuffers() int64 { return live.Load() }
