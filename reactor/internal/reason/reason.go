package reason

import (
	"fmt"

	"sipreactor/tlsstate"
)

// Blame tells whose doing an end or a failure is.
type Blame = tlsstate.Blame

// Who can be to blame.
const (
	BlameNone     = tlsstate.BlameNone     // an orderly end
	BlamePeer     = tlsstate.BlamePeer     // the other side broke a rule, vanished or was late
	BlameConfig   = tlsstate.BlameConfig   // our configuration forbids or lacks something
	BlameUs       = tlsstate.BlameUs       // a fault of ours or of the machine
	BlameOverload = tlsstate.BlameOverload // a bound of ours was reached
)

// Reason is why a connection ended or a message was refused: a fixed set that
// logs, statistics and traces share.
type Reason uint8

// The reasons, named as they are written.
const (
	NoReason Reason = iota
	IdleTimeout
	HandshakeTimeout
	HandshakeFailed
	PeerClosed
	ReadError
	WriteError
	SendTimeout
	MessageTimeout
	TooManyChunks
	MessageTooLarge
	MalformedMessage
	QueueFull
	ConnectFailed
	ConnectTimeout
	ConnectionLimit
	RejectedByDomain
	ClosedByManagement
	Shutdown
	NoConnection // Send: the connection is gone and a new one is forbidden or impossible
	NoAcknowledgement
	HandlerFailed // the Handler panicked over a message of it
	EngineFailed  // an event loop panicked over it
	Count         // how many there are
)

// reasons holds the text and the usual blame of each reason, by its value.
var reasons = [Count]struct {
	text  string
	blame Blame
}{
	NoReason:           {"none", BlameNone},
	IdleTimeout:        {"idle timeout", BlameNone},
	HandshakeTimeout:   {"handshake timeout", BlamePeer},
	HandshakeFailed:    {"handshake failed", BlamePeer},
	PeerClosed:         {"peer closed", BlameNone},
	ReadError:          {"read error", BlamePeer},
	WriteError:         {"write error", BlamePeer},
	SendTimeout:        {"send timeout", BlamePeer},
	MessageTimeout:     {"message timeout", BlamePeer},
	TooManyChunks:      {"too many chunks", BlamePeer},
	MessageTooLarge:    {"message too large", BlamePeer},
	MalformedMessage:   {"malformed message", BlamePeer},
	QueueFull:          {"queue full", BlameOverload},
	ConnectFailed:      {"connect failed", BlamePeer},
	ConnectTimeout:     {"connect timeout", BlamePeer},
	ConnectionLimit:    {"connection limit", BlameOverload},
	RejectedByDomain:   {"rejected by domain", BlameConfig},
	ClosedByManagement: {"closed by management", BlameNone},
	Shutdown:           {"shutdown", BlameNone},
	NoConnection:       {"no connection", BlamePeer},
	NoAcknowledgement:  {"no acknowledgement", BlamePeer},
	HandlerFailed:      {"handler failed", BlameUs},
	EngineFailed:       {"engine failed", BlameUs},
}

// String returns the reason's text.
func (r Reason) String() string {
	if r < Count {
		return reasons[r].text
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Blame returns the side that is usually to blame for the reason.
func (r Reason) Blame() Blame {
	if r < Count {
		return reasons[r].blame
	}
	return BlameUs
}

// Orderly reports whether a connection that ends so has done nothing wrong, so
// that the peer is owed a close_notify after what it still has to get.
func (r Reason) Orderly() bool {
	switch r {
	case IdleTimeout, ClosedByManagement, Shutdown, MalformedMessage, TooManyChunks,
		MessageTooLarge, MessageTimeout, PeerClosed:
		return true
	default:
		return false
	}
}

// Patient reports whether an end waits for a peer that takes nothing at the
// moment, until the send timeout, so that it gets what is left.
func Patient(r Reason) bool { return r.Orderly() && r != ClosedByManagement && r != PeerClosed }

// Error is a reason with the side to blame and, where there is one, the cause.
type Error struct {
	Reason Reason
	Blame  Blame
	// Detail continues the reason's text after a colon; "" if there is none.
	Detail string
	// Err is the cause; may be nil.
	Err error
}

// Error returns "reason: detail".
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason.String()
	}
	return e.Reason.String() + ": " + e.Detail
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fail makes an Error with the reason's usual blame; the cause's text becomes
// the detail.
func Fail(r Reason, cause error) *Error {
	e := &Error{Reason: r, Blame: r.Blame(), Err: cause}
	if cause != nil {
		e.Detail = cause.Error()
	}
	return e
}

// Because makes an Error whose detail is a text.
func Because(r Reason, detail string) *Error {
	return &Error{Reason: r, Blame: r.Blame(), Detail: detail}
}
