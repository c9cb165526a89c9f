package reactor

import (
	"fmt"
	"runtime/debug"
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/tlsstate"
)

// EventKind is what happened to a connection.
type EventKind uint8

// The events, in the order a connection can meet them.
const (
	ConnRefused      EventKind = iota + 1 // accepted and closed at once; Err says why
	ConnAccepted                          // a peer's connection is in the table
	ConnectStarted                        // we began to connect
	ConnectParked                         // the sender's budget is over, the connect goes on alone
	ConnectDone                           // TCP is up on a connection of ours
	HandshakeStarted                      // the TLS handshake began
	HandshakeParked                       // the sender's budget is over, the handshake goes on alone
	ConnEstablished                       // ready for messages; TLS is set on a TLS connection
	ConnClosed                            // gone; Err says why
)

// String returns the event's name.
func (k EventKind) String() string {
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
	Kind EventKind
	Time time.Time
	Src  *Source
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
	Err *Error
	// Was is the phase that a connection ended in: PhaseEstablished when it was up, in
	// an orderly end too. Zero but for ConnClosed.
	Was Phase
	// Age is the time since the connection was accepted or begun.
	Age time.Duration
	// Took is how long the handshake of an established TLS connection took.
	Took time.Duration
}

// Phase is where a connection is in its life. The phases are in the order of that.
type Phase = phase.Phase

// The phases that a connection can be met in.
const (
	PhaseConnecting  = phase.Connecting  // its connect is under way
	PhaseEnrolling   = phase.Enrolling   // connected, and on its way to a loop
	PhaseHandshaking = phase.Handshaking // TLS
	PhaseEstablished = phase.Established // up
	PhaseClosing     = phase.Closing     // what waits goes out, the peer is told
)

// Observer sees every event once, in order for each connection. It is called
// on loops, workers and the connect queue: it must return quickly, must not block
// and must not keep the event.
type Observer interface {
	Observe(e *Event)
}

// nobody is the Observer of an engine that has none.
type nobody struct{}

func (nobody) Observe(*Event) {}

// observe tells the observer what happened to a connection: with its TLS connection
// and its secrets, if it has one.
func (e *Engine) observe(c *conn, kind EventKind, state *tlsstate.State, secrets string) {
	e.tell(c, &Event{Kind: kind, TLS: state, Secrets: secrets})
}

// tell completes an event and tells it.
func (e *Engine) tell(c *conn, ev *Event) {
	src := c.ends()
	ev.Time, ev.Src = time.Now(), &src
	ev.Age = ev.Time.Sub(c.born)
	if ev.TLS != nil {
		ev.Took = c.tls.took
	}
	e.report(ev)
	if ev.Kind != ConnRefused && ev.Kind != ConnClosed {
		e.connlog.Event(c.called(), ev.Kind.String(), ev.Age, ev.TLS, ev.Took)
	}
}

// report gives the Observer an event. A panic of it ends nothing.
func (e *Engine) report(ev *Event) {
	defer func() {
		if p := recover(); p != nil {
			e.panicked("the observer has panicked", p, debug.Stack(), "event", ev.Kind.String())
		}
	}()
	e.cfg.Observer.Observe(ev)
}
