package sipframe

import (
	"sync"
	"testing"
)

func TestBufferFill(t *testing.T) {
	b := NewBuffer(100)
	defer b.Release()
	if len(b.Bytes()) != 0 || len(b.Free()) < 100 {
		t.Fatalf("new buffer: %d filled, %d free", len(b.Bytes()), len(b.Free()))
	}
	free := len(b.Free())
	b.Advance(copy(b.Free(), "hello "))
	b.Advance(copy(b.Free(), "world"))
	if got := string(b.Bytes()); got != "hello world" {
		t.Errorf("filled with %q", got)
	}
	if len(b.Free()) != free-11 {
		t.Errorf("%d bytes free, want %d", len(b.Free()), free-11)
	}
	if view := b.Bytes(); cap(view) != len(view) {
		t.Error("an append to a view would write into what is not filled")
	}
}

func TestBufferClasses(t *testing.T) {
	for _, tt := range []struct{ ask, want int }{
		{0, 256}, {256, 256}, {257, 320}, {320, 320}, {321, 384}, {448, 448}, {449, 512}, {512, 512}, {513, 640}, {769, 896}, {49153, 57344}, {65535, 65536}, {65536, 65536}, {65537, 81920}, {98305, 114688},
		{1 << 20, 1 << 20}, {1<<20 + 1, 1<<20 + 1},
	} {
		b := NewBuffer(tt.ask)
		if got := len(b.Free()); got < tt.ask || tt.ask <= 1<<20 && got != tt.want {
			t.Errorf("NewBuffer(%d) has room for %d, want %d", tt.ask, got, tt.want)
		}
		b.Release()
	}
}

func TestBufferReferences(t *testing.T) {
	before := LiveBuffers()
	b := NewBuffer(1)
	if b.Retain() != b {
		t.Error("Retain gives another buffer")
	}
	b.Release()
	if got := LiveBuffers() - before; got != 1 {
		t.Errorf("%d buffers alive, want 1: one reference is left", got)
	}
	b.Release()
	if got := LiveBuffers() - before; got != 0 {
		t.Errorf("%d buffers alive, want 0", got)
	}
}

func TestBufferMisuse(t *testing.T) {
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s does not panic", what)
			}
		}()
		f()
	}
	// Not from the pool: there another test's buffer could take its place.
	gone := new(Buffer)
	panics("second Release", gone.Release)
	gone.refs.Store(0)
	panics("Retain after the last Release", func() { gone.Retain() })
	b := NewBuffer(512)
	defer b.Release()
	panics("Advance beyond the end", func() { b.Advance(513) })
	panics("Advance backwards", func() { b.Advance(-1) })
}

func TestBufferConcurrent(t *testing.T) {
	before := LiveBuffers()
	b := NewBuffer(4096)
	b.Advance(copy(b.Free(), "shared"))
	var wg sync.WaitGroup
	for range 8 {
		b.Retain()
		wg.Go(func() {
			defer b.Release()
			for range 100 {
				if string(b.Retain().Bytes()) != "shared" {
					t.Error("the view has changed")
				}
				b.Release()
			}
		})
	}
	b.Release()
	wg.Wait()
	if got := LiveBuffers() - before; got != 0 {
		t.Errorf("%d buffers alive, want 0", got)
	}
}

// A buffer that was let go of is used again.
func TestBufferUsedAgain(t *testing.T) {
	if avg := testing.AllocsPerRun(1000, func() {
		b := NewBuffer(3000)
		if len(b.Free()) != 3072 {
			t.Fatalf("room for %d, want 3072", len(b.Free()))
		}
		b.Release()
	}); avg > 0.1 && !raceEnabled {
		t.Errorf("%v allocations a buffer", avg)
	}
}

func BenchmarkBuffer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewBuffer(2000).Release()
	}
}
