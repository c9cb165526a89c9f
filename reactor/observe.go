package reactor

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/event"
	"sipreactor/reactor/internal/phase"
)

// What happens to connections, and what they are. The fields are told where the types are:
// go doc sipreactor/reactor/internal/event.Event, and so on.
type (
	// Observer sees every event once, in order for each connection: Observe(e *Event). It
	// is called on loops, workers and the connect queue: it must return quickly, must not
	// block and must not keep the event.
	Observer = event.Observer
	// Event is one thing that happened to one connection: Kind, Time, Src, Err, Was, Age,
	// and TLS, Secrets, Request, Answer, Took of its handshakes.
	Event = event.Event
	// EventKind is what happened. String returns its name.
	EventKind = event.Kind
	// ConnInfo describes one connection at one moment, for management.
	ConnInfo = connection.ConnInfo
	// Phase is where a connection is in its life. The phases are in the order of that.
	Phase = phase.Phase
)

// The events, in the order a connection can meet them.
const (
	ConnRefused      = event.ConnRefused      // accepted and closed at once; Err says why
	ConnAccepted     = event.ConnAccepted     // a peer's connection is in the table
	ConnectStarted   = event.ConnectStarted   // we began to connect
	ConnectParked    = event.ConnectParked    // the sender's budget is over, the connect goes on alone
	ConnectDone      = event.ConnectDone      // TCP is up on a connection of ours
	HandshakeStarted = event.HandshakeStarted // the TLS handshake began
	HandshakeParked  = event.HandshakeParked  // the sender's budget is over, the handshake goes on alone
	ConnEstablished  = event.ConnEstablished  // ready for messages; TLS is set on a TLS connection
	ConnClosed       = event.ConnClosed       // gone; Err says why
)

// The phases that a connection can be met in.
const (
	PhaseConnecting  = phase.Connecting  // its connect is under way
	PhaseEnrolling   = phase.Enrolling   // connected, and on its way to a loop
	PhaseHandshaking = phase.Handshaking // TLS
	PhaseEstablished = phase.Established // up
	PhaseClosing     = phase.Closing     // what waits goes out, the peer is told
)
