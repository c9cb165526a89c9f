package tlstest

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"sipreactor/tlsstate"
)

// A Cutter says how many of the n bytes that wait the peer gets next.
type Cutter func(n int) int

// Whole cuts nothing.
func Whole(n int) int { return n }

// OneByte cuts everywhere.
func OneByte(int) int { return 1 }

// RandomCuts cuts at random, into at most 700 bytes.
func RandomCuts(seed uint64) Cutter {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(n int) int { return 1 + r.IntN(min(n, 700)) }
}

// End is a machine with what it has read.
type End struct {
	tlsstate.Machine
	In  bytes.Buffer
	Err error // of Handshake or Read, ErrWantRead aside
	p   []byte
}

// Buffer has room for any record.
func (e *End) Buffer() []byte {
	if e.p == nil {
		e.p = make([]byte, 16384)
	}
	return e.p
}

// Step lets a machine go on with some bytes, which are scribbled over when it
// has to be done with them.
func (e *End) Step(b []byte) {
	b = bytes.Clone(b)
	e.Feed(b)
	if e.Phase() == tlsstate.Handshaking {
		err := e.Handshake()
		scribble(b)
		if errors.Is(err, tlsstate.ErrWantRead) {
			return
		}
		if err != nil {
			e.Err = err
			return
		}
	}
	p := e.Buffer()
	for e.Err == nil {
		n, err := e.Read(p)
		e.In.Write(p[:n])
		if errors.Is(err, tlsstate.ErrWantRead) {
			break
		}
		e.Err = err
	}
	scribble(b)
}

func scribble(b []byte) {
	for i := range b {
		b[i] = 0xEE
	}
}

// Wire carries the output of two machines to each other until nothing is left
// to carry.
func Wire(a, b *End, cut Cutter) {
	for _, e := range []*End{a, b} {
		if e.Phase() == tlsstate.Handshaking {
			e.Step(nil)
		}
	}
	for Carry(a, b, cut) || Carry(b, a, cut) {
	}
}

// Carry brings what from has to say to the other end, and tells whether there
// was anything.
func Carry(from, to *End, cut Cutter) (some bool) {
	for len(from.Output()) > 0 {
		some = true
		out := from.Output()
		part := bytes.Clone(out[:cut(len(out))])
		from.Sent(len(part))
		if to.Err == nil {
			to.Step(part)
		}
	}
	return some
}

// Exchange sends a text both ways.
func Exchange(t testing.TB, a, b *End, cut Cutter, text []byte) {
	t.Helper()
	for _, dir := range [][2]*End{{a, b}, {b, a}} {
		from, to := dir[0], dir[1]
		to.In.Reset()
		if n, err := from.Write(text); n != len(text) || err != nil {
			t.Fatalf("wrote %d: %v", n, err)
		}
		Wire(from, to, cut)
		if to.Err != nil {
			t.Fatal(to.Err)
		}
		if !bytes.Equal(to.In.Bytes(), text) {
			t.Fatalf("read %d bytes, %d were written", to.In.Len(), len(text))
		}
	}
}

// Goodbye closes both ends in order.
func Goodbye(t testing.TB, a, b *End) {
	t.Helper()
	if err := a.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	Wire(a, b, Whole)
	if b.Err != io.EOF || b.Phase() != tlsstate.PeerClosed {
		t.Fatalf("after close_notify: %v, %v", b.Err, b.Phase())
	}
	if err := b.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	Wire(a, b, Whole)
	if a.Err != io.EOF || a.Phase() != tlsstate.Closed || b.Phase() != tlsstate.Closed {
		t.Fatalf("after both: %v, %v and %v", a.Err, a.Phase(), b.Phase())
	}
}
