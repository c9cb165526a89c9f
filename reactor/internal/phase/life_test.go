package phase

import (
	"testing"

	"sipreactor/reactor/internal/reason"
)

func TestLifeOfOneOfOurs(t *testing.T) {
	var l Life
	for _, to := range []Phase{Enrolling, Handshaking, Established} {
		if l.Enter(to); l.At() != to || l.Was() != to || l.Ends() {
			t.Errorf("at %v, was %v, ends: %v", l.At(), l.Was(), l.Ends())
		}
	}
	first := reason.Because(reason.IdleTimeout, "")
	if !l.End(first) || l.End(reason.Because(reason.Shutdown, "")) || l.Why() != first {
		t.Errorf("it ends for %v", l.Why())
	}
	if !l.Ends() || l.At() != Established {
		t.Errorf("at %v: a reason alone moves it", l.At())
	}
	if l.Enter(Closing); l.At() != Closing || l.Was() != Established {
		t.Errorf("at %v, was %v", l.At(), l.Was())
	}
	if l.Enter(Closed); l.Was() != Closed || !l.Ends() {
		t.Errorf("was %v", l.Was())
	}
}

// What is over has the reason it had, if only none.
func TestOverIsOver(t *testing.T) {
	var l Life
	l.Begin(Established)
	if l.Enter(Closed); l.End(reason.Because(reason.PeerClosed, "")) || l.Why() != nil || !l.Ends() {
		t.Errorf("it ends again, for %v", l.Why())
	}
}

// What is closing is about to end, with a reason or without.
func TestClosingEnds(t *testing.T) {
	var l Life
	l.Begin(Established)
	if l.Enter(Closing); !l.Ends() || l.Why() != nil {
		t.Errorf("at %v it goes on", l.At())
	}
}

func TestNoStepBack(t *testing.T) {
	var l Life
	l.Begin(Handshaking)
	defer func() {
		if recover() == nil || l.At() != Handshaking {
			t.Errorf("it went to %v", l.At())
		}
	}()
	l.Enter(Enrolling)
}
