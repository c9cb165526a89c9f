package reason

import "testing"

func TestReasonsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	add := func(s string) {
		if s == "" || seen[s] {
			t.Errorf("name %q is empty or used twice", s)
		}
		seen[s] = true
	}
	for r := range Count {
		add(r.String())
		if r.Blame().String() == "" {
			t.Errorf("%v has no blame", r)
		}
	}
	clear(seen)
	Refusals(func(r Refusal) {
		add(r.String())
		e := Refused(r)
		if e.Reason == NoReason || (e.Detail == "") != (r == RefusedShutdown) {
			t.Errorf("%v is told as %v", r, e)
		}
		if ours := r == RefusedShutdown || r == RefusedVanished; (e.Blame == BlameOverload) == ours {
			t.Errorf("%v is blamed on %v", r, e.Blame)
		}
	})
	if len(seen) != int(RefusalCount) || Admitted.String() != "refusal(255)" {
		t.Errorf("%v", seen)
	}
}

// A connection that has done nothing wrong ends in order. Of these ends all wait for a peer
// that takes nothing at the moment, but the one that it has asked for and the one that
// management has.
func TestOrderly(t *testing.T) {
	patient := map[Reason]bool{IdleTimeout: true, Shutdown: true, MalformedMessage: true, TooManyChunks: true, MessageTooLarge: true,
		MessageTimeout: true, PeerClosed: false, ClosedByManagement: false}
	for r := range Count {
		wait, orderly := patient[r]
		if r.Orderly() != orderly || Patient(r) != wait {
			t.Errorf("%v: orderly %v, patient %v", r, r.Orderly(), Patient(r))
		}
	}
}

// A refusal by a bound names the parameter that has it.
func TestRefusalsNameTheirParameter(t *testing.T) {
	for r, parameter := range map[Refusal]string{
		RefusedLimit:            "tcp_max_connections",
		RefusedSource:           "tcp_max_connections_per_source",
		RefusedSourceHandshakes: "tls_max_handshakes_per_source",
		RefusedSourceRate:       "tls_max_handshake_rate_per_source",
	} {
		if got := Refused(r).Error(); got != "connection limit: "+parameter+" reached" {
			t.Errorf("%v is told as %q", r, got)
		}
	}
}
