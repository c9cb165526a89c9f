package dialog

import "testing"

// A request that comes again, and the ACK of an INVITE, have the CSeq that the INVITE had, whatever we have sent meanwhile.
func TestShift(t *testing.T) {
	d := invite(t, New(Config{}), "c")
	d.Heard(200, &Said{Tag: []byte("t")}, start)
	tag := []byte("t")
	saw := func(w Within, want uint32) {
		t.Helper()
		w.Dir = Downstream
		if n := d.Saw(&w, tag); n != want {
			t.Errorf("%+v is shifted by %d, want %d", w, n, want)
		}
	}
	saw(Within{CSeq: 5, Invite: true}, 0)
	d.Side(Downstream, -1, true)
	saw(Within{CSeq: 5, Invite: true}, 0)
	saw(Within{CSeq: 5, NoCount: true}, 0)
	saw(Within{CSeq: 6}, 1)
	saw(Within{CSeq: 7, Invite: true}, 1)
	d.Side(Downstream, -1, true)
	saw(Within{CSeq: 7, NoCount: true}, 1)
	saw(Within{CSeq: 1, NoCount: true}, 0) // of the INVITE that began it
	if n := d.InviteShift(Downstream, tag, 7); n != 1 {
		t.Errorf("the INVITE's was %d", n)
	}
}

// A reliable provisional response counts once, and those before it no more.
func TestReliable(t *testing.T) {
	d := invite(t, New(Config{}), "c")
	d.Heard(183, &Said{Tag: []byte("t")}, start)
	for i, step := range []struct {
		tag  string
		rseq uint32
		want int
	}{{"t", 7, 0}, {"t", 7, -1}, {"t", 6, -1}, {"t", 8, 0}, {"x", 9, -1}} {
		if got := d.Reliable([]byte(step.tag), step.rseq); got != step.want {
			t.Errorf("step %d: %d, want %d", i, got, step.want)
		}
	}
}

// A request of ours to a callee has a CSeq that the caller has not used, whichever of its callees that asked.
func TestCSeqOfAFork(t *testing.T) {
	d := invite(t, New(Config{}), "c")
	for _, tag := range []string{"t", "u"} {
		d.Heard(200, &Said{Tag: []byte(tag)}, start)
	}
	d.Saw(&Within{Dir: Downstream, CSeq: 9}, []byte("t"))
	if _, _, n, ok := d.Side(Downstream, 1, true); !ok || n != 10 {
		t.Errorf("it is %d", n)
	}
}
