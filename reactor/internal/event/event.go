// Package event is what happens to connections, in the words of those who embed the engine:
// an Event, and an Observer of them. An event is good until the Observer returns.
package event

import (
	"fmt"
	"time"

	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate"
)

// Kind is what happened to a connection.
type Kind uint8

// The events, in the order a connection can meet them.
const (
	ConnRefused      Kind = iota + 1 // accepted and closed at once; Err says why
	ConnAccepted                     // a peer's connection is in the table
	ConnectStarted                   // we began to connect
	ConnectParked                    // the sender's budget is over, the connect goes on alone
	ConnectDone                      // TCP is up on a connection of ours
	HandshakeStarted                 // the TLS handshake began
	HandshakeParked                  // the sender's budget is over, the handshake goes on alone
	ConnEstablished                  // ready for messages; TLS is set on a TLS connection
	ConnClosed                       // gone; Err says why
)

// String returns the event's name.
func (k Kind) String() string {
	switch k {
	case ConnRefused:
		return "refused"
	case ConnAccepted:
		return "accepted"
	case ConnectStarted:
		return "connect"
	case ConnectParked:
		return "connect parked"
	case ConnectDone:
		return "connected"
	case HandshakeStarted:
		return "handshake"
	case HandshakeParked:
		return "handshake parked"
	case ConnEstablished:
		return "established"
	case ConnClosed:
		return "closed"
	default:
		return fmt.Sprintf("event(%d)", uint8(k))
	}
}

// Event is one thing that happened to one connection.
type Event struct {
	Kind Kind
	Time time.Time
	Src  *message.Source
	// TLS describes a TLS connection when it is established, and as far as it is
	// known when its handshake has failed; nil else.
	TLS *tlsstate.State
	// Secrets are the connection's, as key log lines, where TLS is there and
	// tlsstate.Config.Secrets had them kept; "" else. Whoever has them can read
	// the connection's traffic: they do not belong in a log.
	Secrets string
	// Request and Answer are the opening handshake of a WebSocket connection that is established, or whose handshake has
	// failed, as far as it is known: first lines, and the headers that are no secrets.
	Request, Answer string
	// Err is why a connection was refused or closed; nil else.
	Err *reason.Error
	// Was is the phase that a connection ended in: PhaseEstablished when it was up, in
	// an orderly end too. Zero but for ConnClosed.
	Was phase.Phase
	// Age is the time since the connection was accepted or begun.
	Age time.Duration
	// Took is how long the handshake of an established TLS connection took.
	Took time.Duration
}

// Observer sees every event once, in order for each connection. It is called
// on loops, workers and the connect queue: it must return quickly, must not block
// and must not keep the event.
type Observer interface {
	Observe(e *Event)
}

// Nobody is the Observer of an engine that has none.
type Nobody struct{}

// Observe does nothing.
func (Nobody) Observe(*Event) {}
