package tlsstate

import "fmt"

// Phase is where a machine is in its life. It only moves forward:
//
//	from         to           when
//	Handshaking  Established  both Finished messages are exchanged
//	Handshaking  Failed       either side refused; an alert may be in Output
//	Established  Closing      CloseNotify: we said goodbye
//	Established  PeerClosed   the peer's close_notify was read
//	Established  Failed       a record or post-handshake message was wrong
//	Closing      PeerClosed   the peer answered with its own close_notify
//	Closing      Failed       what it sent instead was wrong
//	PeerClosed   Closing      CloseNotify: we answer
//	any          Stopped      Stop
type Phase uint8

// The phases.
const (
	Handshaking Phase = iota
	Established
	Closing
	PeerClosed
	Failed
	Stopped
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
	Closing:     {PeerClosed, Failed, Stopped},
	PeerClosed:  {Closing, Stopped},
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
