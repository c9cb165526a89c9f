package tlsstate

import "fmt"

// Phase is where a machine is in its life. It only moves forward:
//
//	from         to           when
//	Handshaking  Established  both Finished messages are exchanged
//	Handshaking  Failed       either side refused; an alert may be in Output
//	Established  Closing      CloseNotify: we said goodbye, and may go on reading
//	Established  PeerClosed   the peer's close_notify was read; we may go on writing
//	Established  Failed       a record or post-handshake message was wrong
//	Closing      Closed       the peer said goodbye as well
//	Closing      Failed       what it sent instead was wrong
//	PeerClosed   Closed       CloseNotify: we answer
//	PeerClosed   Failed       nothing could be sealed any more
//	any other    Stopped      Stop
//
// Only Handshaking holds a coroutine, and only from the first whole record on.
type Phase uint8

// The phases.
const (
	Handshaking Phase = iota // Feed and Handshake
	Established              // Feed, Read, Write, CloseNotify
	Closing                  // Feed and Read
	PeerClosed               // Write and CloseNotify
	Closed                   // nothing but Output and Stop
	Failed                   // nothing but Output and Stop
	Stopped                  // nothing
	phases
)

// String gives the phase's name.
func (p Phase) String() string {
	switch p {
	case Handshaking:
		return "handshaking"
	case Established:
		return "established"
	case Closing:
		return "closing"
	case PeerClosed:
		return "peer closed"
	case Closed:
		return "closed"
	case Failed:
		return "failed"
	case Stopped:
		return "stopped"
	default:
		return fmt.Sprintf("phase(%d)", uint8(p))
	}
}

// transitions lists the phases that each phase may become.
var transitions = [phases][]Phase{
	Handshaking: {Established, Failed, Stopped},
	Established: {Closing, PeerClosed, Failed, Stopped},
	Closing:     {Closed, Failed, Stopped},
	PeerClosed:  {Closed, Failed, Stopped},
	Closed:      {Stopped},
	Failed:      {Stopped},
	Stopped:     {},
}

// May tells whether the table allows the step.
func (p Phase) May(to Phase) bool {
	if p >= phases {
		return false
	}
	for _, q := range transitions[p] {
		if q == to {
			return true
		}
	}
	return false
}
