// Package phase is the life of a connection as a table.
package phase

import "fmt"

// Phase is where a connection is in its life. It only moves forward:
//
//	from          to            when
//	connecting    enrolling     the socket is connected (connect queue)
//	connecting    closed        refused, timed out, killed
//	enrolling     handshaking   the loop has it, TLS
//	enrolling     established   the loop has it, plain TCP
//	enrolling     closed        the loop would not take it, killed
//	handshaking   established   the machine says so
//	handshaking   closing       it failed, timed out, killed: the alert goes out
//	established   closing       an orderly end: what waits goes out first
//	any           closed        the descriptor is gone
//
// An accepted connection begins in handshaking (TLS) or established (TCP).
//
// What a connection has in some phases only:
//
//	connecting to handshaking   connection.Dialing: whom it is made for, the TLS domains, who did not wait (ours alone)
//	handshaking                 a handshakes.Handshake: the machine, what came while it was away, the peer's clock
//	established                 the framer at work, messages in pieces, what is unacknowledged, owed answers
//	closing                     in Life: the phase before, which decides what the end is told as
//
// The values of the first two are gone, memory and all, when their phase is: an idle
// connection holds neither. What established has stands in the connection itself.
type Phase uint8

// The phases, in the order of a life; Count is how many there are.
const (
	Connecting Phase = iota
	Enrolling
	Handshaking
	Established
	Closing
	Closed
	Count
)

// String returns the phase's name.
func (p Phase) String() string {
	switch p {
	case Connecting:
		return "connecting"
	case Enrolling:
		return "enrolling"
	case Handshaking:
		return "handshaking"
	case Established:
		return "established"
	case Closing:
		return "closing"
	case Closed:
		return "closed"
	default:
		return fmt.Sprintf("phase(%d)", uint8(p))
	}
}

// next lists the phases that each phase may become.
var next = [Count][]Phase{
	Connecting:  {Enrolling, Closed},
	Enrolling:   {Handshaking, Established, Closed},
	Handshaking: {Established, Closing, Closed},
	Established: {Closing, Closed},
	Closing:     {Closed},
	Closed:      {},
}

// May reports whether the table allows a step.
func (p Phase) May(to Phase) bool {
	for _, q := range next[p] {
		if q == to {
			return true
		}
	}
	return false
}
