package handshakes

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/tlsstate"
)

// scripted is a machine that says of each step what it is told to.
type scripted struct {
	codec.Plain
	fed  []string
	says []error
}

func (s *scripted) Feed(b []byte) { s.fed = append(s.fed, string(b)) }

func (s *scripted) Handshake() error {
	err := s.says[0]
	s.says = s.says[1:]
	return err
}

// step has the next step computed, and returns what it came to.
func step(h *Handshake) error {
	h.Leave()
	h.Compute()
	_, err := h.Return()
	return err
}

// broken is a machine that panics.
type broken struct{ codec.Plain }

func (broken) Handshake() error { panic("broken on purpose") }

// A machine's panic is what its step came to: it ends its own handshake alone.
func TestPanicOfAMachine(t *testing.T) {
	err := step(New(&broken{}, time.Second, 1))
	var e *tlsstate.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "broken on purpose") {
		t.Errorf("%v", err)
	}
}

func TestStepsGetWhatCame(t *testing.T) {
	m := &scripted{says: []error{tlsstate.ErrWantRead, tlsstate.ErrWantRead, nil}}
	h := New(m, time.Second, 1)
	if !h.Is(Here) || h.Begun() {
		t.Error("it does not begin here")
	}
	if err := step(h); err != tlsstate.ErrWantRead || len(m.fed) != 0 || !h.Begun() {
		t.Errorf("the first step: %v, fed %q", err, m.fed)
	}
	h.Add([]byte("one"))
	h.Leave()
	h.Add([]byte("two")) // comes while the machine is away
	if !h.Is(Away) || h.Waiting() != 3 {
		t.Errorf("%d wait", h.Waiting())
	}
	h.Compute()
	if fed, err := h.Return(); fed != 3 || err != tlsstate.ErrWantRead || !h.Is(Here) {
		t.Errorf("fed %d: %v", fed, err)
	}
	if err := step(h); err != nil || len(m.fed) != 2 || m.fed[1] != "two" {
		t.Errorf("%v, fed %q", err, m.fed)
	}
	h.Add([]byte("INVITE"))
	if rest := string(h.Rest()); rest != "INVITE" || h.Waiting() != 0 {
		t.Errorf("%q came behind it", rest)
	}
}

func TestSignatures(t *testing.T) {
	m := &scripted{says: []error{tlsstate.ErrWantSignature, tlsstate.ErrWantSignature, io.EOF}}
	h := New(m, time.Second, 1)
	if h.Signed() {
		t.Error("one that nobody waits for")
	}
	if step(h); !h.Wants() || !h.Sign() || !h.Is(Signing) {
		t.Error("it does not wait")
	}
	if !h.Signed() || !h.Is(Here) || h.Signed() {
		t.Error("it does not go on, or twice")
	}
	h.Leave()
	h.Compute()
	if h.Signed() || !h.Is(Away) {
		t.Error("it goes on while the machine is away")
	}
	if h.Return(); h.Sign() || !h.Is(Here) {
		t.Error("it waits for what is made")
	}
	if err := step(h); err != io.EOF || h.Wants() || !h.Sign() {
		t.Errorf("%v; what was made once counts twice", err)
	}
}

func TestNoHandshakeIsInNoState(t *testing.T) {
	var h *Handshake
	for s := Here; s <= Signing; s++ {
		if h.Is(s) {
			t.Error(s)
		}
	}
}

func TestHandshakeIsBounded(t *testing.T) {
	h := New(&scripted{}, time.Second, 1)
	if !h.Add(make([]byte, inboxFull)) || !h.Full() || h.Add(make([]byte, inboxLimit)) {
		t.Error("it has no bound")
	}
}
