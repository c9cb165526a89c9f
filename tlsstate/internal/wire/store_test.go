package wire

import (
	"bytes"
	"testing"
)

func TestStore(t *testing.T) {
	var s Store
	s.Drop(1)
	s.Advance(0)
	s.Free()
	if s.Len() != 0 || s.Bytes() != nil || s.Holds() {
		t.Error("an empty store has something")
	}
	big := bytes.Repeat([]byte("x"), 3000)
	for i := range 50 {
		s.Add(big)
		s.Drop(2000 + i)
	}
	if s.Len() != 50*3000-50*2000-49*25 || len(s.Bytes()) != s.Len() {
		t.Errorf("%d bytes are left", s.Len())
	}
	s.Drop(s.Len())
	if s.Holds() {
		t.Error("an empty store keeps its buffer")
	}
	s.Add(make([]byte, KeptCapacity+1))
	s.Free()
}

// Spare room is behind what is there, whatever was dropped before, and room
// that was not used leaves nothing behind.
func TestSpare(t *testing.T) {
	var s Store
	var want []byte
	for i := range 200 {
		n := 1 + i*37%5000
		room := s.Spare(n)
		if len(room) < n {
			t.Fatalf("room for %d, %d were asked for", len(room), n)
		}
		for j := range n {
			room[j] = byte(i + j)
		}
		want = append(want, room[:n]...)
		s.Advance(n)
		s.Drop(n / 2)
		want = want[n/2:]
		if !bytes.Equal(s.Bytes(), want) {
			t.Fatalf("after %d: %d bytes, want %d", i, s.Len(), len(want))
		}
	}
	s.Free()
	s.Spare(10)
	s.Advance(0)
	if s.Holds() {
		t.Error("a buffer is held for nothing")
	}
}

func TestInbox(t *testing.T) {
	var in Inbox
	lent := []byte("abcdef")
	in.Feed(lent)
	in.Drop(2)
	if string(in.Waiting()) != "cdef" || !in.Holds() {
		t.Errorf("%q", in.Waiting())
	}
	in.Keep()
	copy(lent, "XXXXXX") // it is the owner's again
	in.Feed([]byte("gh"))
	if string(in.Waiting()) != "cdefgh" {
		t.Errorf("%q", in.Waiting())
	}
	in.Drop(6)
	if len(in.Waiting()) != 0 || in.Holds() {
		t.Error("something is left")
	}
	in.Feed([]byte("i"))
	in.Return()
	if len(in.Waiting()) != 0 || in.Holds() {
		t.Error("returned bytes are still there")
	}
	in.Feed([]byte("j"))
	in.Feed([]byte("k"))
	in.Free()
	if in.Holds() {
		t.Error("freed and holds something")
	}
}
