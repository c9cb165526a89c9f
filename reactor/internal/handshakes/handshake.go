package handshakes

import (
	"errors"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/tlsstate"
)

// State is who has the machine of a handshake, and what it waits for.
//
//	from      to        when
//	here      away      bytes came, or we speak first: Leave
//	away      here      the step is computed: Return
//	here      signing   the step wants a signature that is made elsewhere: Sign
//	signing   here      it is made: Signed
//	here      (over)    the machine is done, or has failed
//
// A signature may be made while the machine is still away: Sign then says so at once.
type State uint8

// The states.
const (
	Here    State = iota // the loop has it; what the peer says begins a step
	Away                 // whoever computes the step has it; what the peer says waits
	Signing              // the loop has it; what the peer says waits for the signature
)

// Handshake is what a connection has only while it shakes hands: its machine, what came
// meanwhile and the peer's clock. Its loop owns it; while the machine is away Compute alone
// is called, by whoever computes.
type Handshake struct {
	// Paused is the loop's note that the kernel keeps what comes.
	Paused bool
	// Clock is what the peer may take.
	Clock Clock

	machine codec.Shaker
	state   State
	signed  bool // made before the machine was back
	begun   bool // there was a step
	inbox   Inbox
	feed    []byte // of the step
	err     error  // what it came to
}

// New returns the handshake of a machine that begins now; the peer may take so long.
func New(m codec.Shaker, limit time.Duration, now int64) *Handshake {
	return &Handshake{machine: m, Clock: NewClock(limit, now)}
}

// Is reports whether the handshake is in a state; that of none, nil, is in no state.
func (h *Handshake) Is(s State) bool { return h != nil && h.state == s }

// Add keeps what the peer says for the next step; false when it is too much for any peer.
func (h *Handshake) Add(in []byte) bool { return h.inbox.Add(in) }

// Full reports whether the kernel should keep what comes.
func (h *Handshake) Full() bool { return h.inbox.Full() }

// Waiting returns how many bytes wait for the next step.
func (h *Handshake) Waiting() int { return h.inbox.Len() }

// Rest returns what came behind the handshake when that is done.
func (h *Handshake) Rest() []byte { return h.inbox.Take() }

// Leave gives the machine, with what waits, to whoever computes its next step.
func (h *Handshake) Leave() {
	h.state = Away
	h.feed = h.inbox.Take()
}

// Begun reports whether this is not the first step.
func (h *Handshake) Begun() bool { return h.begun }

// Compute computes the step. A panic of the machine is what the step came to.
func (h *Handshake) Compute() {
	defer func() {
		if p := recover(); p != nil {
			h.err = tlsstate.Panicked(p)
		}
	}()
	if len(h.feed) > 0 {
		h.machine.Feed(h.feed)
	}
	h.err = h.machine.Handshake()
	h.begun = true
}

// Return takes the machine back, and says how much the step was given and what it came to:
// nil when the handshake is done, tlsstate.ErrWantRead or ErrWantSignature when it goes on.
func (h *Handshake) Return() (fed int, err error) {
	h.state = Here
	return len(h.feed), h.err
}

// Wants reports whether the last step wants a signature.
func (h *Handshake) Wants() bool { return errors.Is(h.err, tlsstate.ErrWantSignature) }

// Sign has the handshake wait for a signature; false when that is made already, and the
// next step can be computed.
func (h *Handshake) Sign() (waits bool) {
	if h.signed {
		h.signed = false
		return false
	}
	h.state = Signing
	return true
}

// Signed notes that the signature is made, and reports whether the handshake waited for it,
// so that the next step can be computed.
func (h *Handshake) Signed() (waited bool) {
	switch h.state {
	case Away:
		h.signed = true
	case Signing:
		h.state = Here
		return true
	case Here:
	}
	return false
}
