package slab

import (
	"bytes"
	"testing"
)

// take has a read bring n bytes.
func take(s *Slab, n int, secure bool) {
	copy(s.Free(), bytes.Repeat([]byte{byte(n)}, n))
	s.Took(n, secure)
}

func TestBeginPutsTheRestInFront(t *testing.T) {
	var s Slab
	s.Begin(nil)
	take(&s, 100, false)
	base := s.Begin([]byte("INV"))
	take(&s, 3, false)
	if got := string(s.Bytes()[base:]); base != 100 || got != "INV\x03\x03\x03" {
		t.Errorf("%q from %d on", got, base)
	}
	if !s.Brought() {
		t.Error("nothing was brought")
	}
	if s.Begin(nil); s.Brought() {
		t.Error("the read before counts")
	}
	s.Release()
}

// What was handed out is there while its reference is, whatever the slab goes on to.
func TestTurnKeepsWhatIsHandedOut(t *testing.T) {
	var s Slab
	s.Begin(nil)
	take(&s, 10, false)
	out, ref := s.Bytes()[:4], s.Retain()
	for !s.Full() {
		take(&s, 8<<10, false)
	}
	whole := len(s.Bytes())
	s.Turn(whole - 5)
	if len(s.Bytes()) != 5 || s.Full() || s.fresh != 0 || len(s.reads) != 1 {
		t.Errorf("%d bytes, %d reads behind the turn, the fresh ones from %d on", len(s.Bytes()), len(s.reads), s.fresh)
	}
	if !bytes.Equal(out, []byte{10, 10, 10, 10}) {
		t.Errorf("what was handed out is %v", out)
	}
	ref.Release()
	s.Release()
}

// A rest that is larger than a slab is turned with room for what follows.
func TestTurnOfALargeRest(t *testing.T) {
	var s Slab
	s.Begin(nil)
	for range 20 {
		if s.Full() {
			s.Turn(0)
		}
		take(&s, 16<<10, true)
	}
	if n := len(s.Bytes()); n != 20*16<<10 || s.Chunks(0) != 0 {
		t.Errorf("%d bytes in %d chunks", n, s.Chunks(0))
	}
	s.Release()
}

func TestChunks(t *testing.T) {
	type part struct {
		n      int
		secure bool
	}
	for _, tt := range []struct {
		name  string
		rest  int // of earlier reads
		parts []part
		from  int // behind the base
		want  int
	}{
		{"a small read of a plain socket", 0, []part{{100, false}}, 0, 1},
		{"a large one", 0, []part{{smallRead, false}}, 0, 0},
		{"the rest of earlier reads does not make it large", 5000, []part{{10, false}}, 0, 1},
		{"small records count each", 0, []part{{10, true}, {20, true}, {30, true}}, 0, 3},
		{"a record that is not small, in a small read", 0, []part{{smallRecord, true}}, 0, 1},
		{"one and a small one", 0, []part{{smallRecord, true}, {10, true}}, 0, 2},
		{"many that are not small", 0, []part{{smallRecord, true}, {800, true}}, 0, 0},
		{"what is before the message does not count", 0, []part{{10, true}, {20, true}, {30, true}}, 30, 1},
		{"nothing of it came", 300, nil, 0, 0},
	} {
		var s Slab
		s.Begin(nil)
		take(&s, 7, false) // of another connection
		base := s.Begin(make([]byte, tt.rest))
		for _, p := range tt.parts {
			take(&s, p.n, p.secure)
		}
		if got := s.Chunks(base + tt.from); got != tt.want {
			t.Errorf("%s: %d chunks, want %d", tt.name, got, tt.want)
		}
		s.Release()
	}
}

// Small counts the records that left a message incomplete: not the one that ends it.
func TestSmall(t *testing.T) {
	var s Slab
	base := s.Begin(nil)
	for range 4 {
		take(&s, 10, true)
	}
	if n := s.Small(base, base+40); n != 3 {
		t.Errorf("%d, want 3", n)
	}
	if n := s.Small(base+10, base+30); n != 1 {
		t.Errorf("%d, want 1", n)
	}
	s.Release()
}

func TestPutAndRest(t *testing.T) {
	var s Slab
	s.Rest() // there is none
	a, b := s.Put([]byte("one")), s.Put([]byte("two"))
	if string(a) != "one" || string(b) != "two" || cap(a) != 3 {
		t.Errorf("%q of %d, %q", a, cap(a), b)
	}
	if s.Rest(); s.buf == nil {
		t.Error("a slab with room is let go of")
	}
	big := s.Put(make([]byte, 65507))
	if s.Rest(); s.buf != nil || len(big) != 65507 {
		t.Error("a full slab is kept")
	}
}

func TestKeep(t *testing.T) {
	from := []byte("abc")
	kept := Keep(from)
	from[0] = 'x'
	if got := string(kept.Bytes()); got != "abc" {
		t.Errorf("%q is kept", got)
	}
	kept.Release()
}

// In the steady state a read allocates nothing.
func TestReadsDoNotAllocate(t *testing.T) {
	var s Slab
	read := func() {
		base := s.Begin(nil)
		s.Took(500, true)
		s.Chunks(base)
		s.Retain().Release()
		s.Rest()
	}
	read()
	if n := testing.AllocsPerRun(100, read); n > 0.5 {
		t.Errorf("%v allocations", n)
	}
	s.Release()
}

// Behind the turn a small beginning of a message is what the read brought of it, wherever the read began.
func TestChunksBehindATurn(t *testing.T) {
	var s Slab
	s.Begin(nil)
	take(&s, 200, false) // of another connection
	s.Begin(nil)
	for !s.Full() {
		take(&s, 8<<10, false)
	}
	s.Turn(len(s.Bytes()) - 100)
	if n := s.Chunks(0); n != 1 {
		t.Errorf("%d chunks, want 1", n)
	}
	s.Release()
}

// What was kept has room for a record behind it.
func TestBeginHasRoom(t *testing.T) {
	var s Slab
	s.Begin(nil)
	for !s.Full() {
		take(&s, 8<<10, false)
	}
	if s.Begin(make([]byte, 100)); s.Full() {
		t.Error("no record fits behind what was kept")
	}
	s.Release()
}
