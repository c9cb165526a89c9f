package tlsstate

import "testing"

// The table of Phase's documentation, all of it.
func TestTransitions(t *testing.T) {
	allowed := map[[2]Phase]bool{
		{Handshaking, Established}: true,
		{Handshaking, Failed}:      true,
		{Established, Closing}:     true,
		{Established, PeerClosed}:  true,
		{Established, Failed}:      true,
		{Closing, Closed}:          true,
		{Closing, Failed}:          true,
		{PeerClosed, Closed}:       true,
		{PeerClosed, Failed}:       true,
	}
	for p := range phases {
		if p != Stopped {
			allowed[[2]Phase{p, Stopped}] = true
		}
	}
	for from := range phases + 1 {
		for to := range phases + 1 {
			if got := from.May(to); got != allowed[[2]Phase{from, to}] {
				t.Errorf("%v to %v: %v", from, to, got)
			}
		}
	}
}

func TestIllegalStepPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a failed machine was established")
		}
	}()
	(&machine{phase: Failed}).step(Established)
}

func TestPhaseNames(t *testing.T) {
	seen := make(map[string]bool)
	for p := range phases + 1 {
		if name := p.String(); name == "" || seen[name] {
			t.Errorf("phase %d is %q", uint8(p), name)
		} else {
			seen[name] = true
		}
	}
}
