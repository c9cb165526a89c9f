package reactor

import "fmt"

// phase is where a connection is in its life. It only moves forward:
//
//	from          to            when
//	connecting    enrolling     the socket is connected (parking lot)
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
type phase uint8

const (
	connecting phase = iota
	enrolling
	handshaking
	established
	closing
	closed
	phaseCount
)

// String gives the phase's name.
func (p phase) String() string {
	switch p {
	case connecting:
		return "connecting"
	case enrolling:
		return "enrolling"
	case handshaking:
		return "handshaking"
	case established:
		return "established"
	case closing:
		return "closing"
	case closed:
		return "closed"
	default:
		return fmt.Sprintf("phase(%d)", uint8(p))
	}
}

// next lists the phases that each phase may become.
var next = [phaseCount][]phase{
	connecting:  {enrolling, closed},
	enrolling:   {handshaking, established, closed},
	handshaking: {established, closing, closed},
	established: {closing, closed},
	closing:     {closed},
	closed:      {},
}

// may tells whether the table allows the step.
func (p phase) may(to phase) bool {
	for _, q := range next[p] {
		if q == to {
			return true
		}
	}
	return false
}
