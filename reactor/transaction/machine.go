package transaction

import "time"

// Kind says which of the four machines of RFC 3261 17 a Machine is.
type Kind uint8

// The machines.
const (
	InviteClient Kind = iota // 17.1.1, RFC 6026 8.4
	Client                   // 17.1.2
	InviteServer             // 17.2.1, RFC 6026 8.7 and 8.8
	Server                   // 17.2.2
	kinds
)

// State is where a machine is. Which of them a Kind has, its table tells.
type State uint8

// The states.
const (
	Idle       State = iota // not begun
	Calling                 // INVITE client: sent, nothing heard
	Trying                  // not INVITE: sent, nothing heard; server: nothing said
	Proceeding              // a provisional response was heard or said; INVITE server: from the start
	Canceling               // INVITE client: a CANCEL went out, the final response is awaited
	Abandoned               // INVITE client: given up after a provisional and canceled; what comes is only acknowledged
	Unheard                 // INVITE client: given up before anything was heard, but for timer B's whole time
	Completed               // a final response, for INVITE 300 to 699, was heard or said
	Confirmed               // INVITE server: its ACK has come
	Accepted                // INVITE: a 2xx was heard, or passed on
	Repeating               // INVITE server: a 2xx of ours was said, and goes out again until its ACK has come
	Terminated              // over
	states
)

// Event is what happens to a machine.
type Event uint8

// The events.
const (
	Start          Event = iota // the request goes out, or has come
	Provisional                 // 101 to 199, and 100, heard or to be said
	Success                     // 2xx, heard or passed on
	OwnSuccess                  // INVITE server: a 2xx of ours
	Failure                     // 300 to 699
	Repeat                      // server: the request came again
	Acknowledged                // INVITE server: an ACK came
	Cancel                      // INVITE client: the request is no longer wanted
	GiveUp                      // server, not INVITE: there will be no answer (RFC 4320)
	ResendTimer                 // A, E, G
	LifeTimer                   // B, C, D, F, H, I, J, K, L, M
	TransportError              // what was to go out cannot
	events
)

// Action is what the owner of a machine is to do, in this order.
type Action uint16

// The actions.
const (
	SendRequest  Action = 1 << iota // the request goes out, first or again
	SendAck                         // the ACK to a final response that is no 2xx
	SendCancel                      // a CANCEL goes out, as a transaction of its own
	SendResponse                    // server: what is at hand goes out, or with Repeat what went out last, if anything did
	PassUp                          // what came is the transaction user's: a response, an ACK to a 2xx
	TimeOut                         // the user hears that no answer came, or (server) no ACK
	Unreachable                     // the user hears that it cannot be delivered
)

// period names how long a machine stays as it is.
type period uint8

const (
	asItIs     period = iota // the timer goes on
	forever                  // no timer
	noAnswer                 // fr_timeout, in the place of B and F
	noFinal                  // fr_inv_timeout, in the place of C
	giveUp                   // 64*T1: the answer to a CANCEL
	restOfB                  // what there is of 64*T1 behind fr_timeout
	linger64                 // 64*T1: H, L, M
	lingerD                  // the same where a response may come again: D
	lingerWait               // wt_timer, in the place of J
	lingerT4                 // I, K
)

// again says what becomes of a retransmission's timer.
type again uint8

const (
	keep   again = iota // goes on, or stays off
	stop                // off
	begin               // T1 from now
	double              // twice the last interval from now, no bound
	slower              // twice the last interval, T2 at most
	slow                // T2 from now
)

// transition is a cell of a table. The zero value is an event that means nothing in a state.
type transition struct {
	to     State // Idle: none
	do     Action
	resend again
	life   period
}

// tables are the four machines: a row for each state, a cell for each event that changes or causes something.
var tables = [kinds][states][events]transition{
	InviteClient: inviteClient,
	Client:       client,
	InviteServer: inviteServer,
	Server:       server,
}

// Timing is how long things take. The zero value is not usable; DefaultTiming has the documented defaults.
type Timing struct {
	T1, T2, T4 time.Duration
	NoAnswer   time.Duration // fr_timeout: until the first response; for other methods than INVITE until the final one
	NoFinal    time.Duration // fr_inv_timeout: from the last provisional response to an INVITE until the final one
	Wait       time.Duration // wt_timer: how long a transaction that is no INVITE is remembered
	// RestartOnEach (restart_fr_on_each_reply) begins NoFinal anew with each provisional response; without it only one
	// with another code than the last does.
	RestartOnEach bool
}

// DefaultTiming returns RFC 3261's T1, T2 and T4 and the tm module's defaults.
func DefaultTiming() Timing {
	return Timing{T1: 500 * time.Millisecond, T2: 4 * time.Second, T4: 5 * time.Second,
		NoAnswer: 30 * time.Second, NoFinal: 120 * time.Second, Wait: 5 * time.Second,
		RestartOnEach: true}
}

// Machine is one of the four state machines: no clock, no socket, no message. The zero value is an InviteClient that is
// Idle. One goroutine.
type Machine struct {
	kind     Kind
	state    State
	reliable bool
	interval time.Duration // of the last retransmission
}

// NewMachine returns a machine that has not begun. reliable says that its transport retransmits by itself (17.1.1.2).
func NewMachine(k Kind, reliable bool) Machine { return Machine{kind: k, reliable: reliable} }

// State returns where the machine is.
func (m *Machine) State() State { return m.state }

// Over reports whether the machine has ended.
func (m *Machine) Over() bool { return m.state == Terminated }

// Effect is what an event causes.
type Effect struct {
	Do Action
	// Resend and Life are what becomes of the machine's two timers: Unchanged, Off, or how long from now.
	Resend, Life time.Duration
}

// What becomes of a timer, besides a time from now.
const (
	Unchanged time.Duration = -1
	Off       time.Duration = 0
)

// On moves the machine by an event and returns what that causes. An event that means nothing in its state causes
// nothing.
func (m *Machine) On(e Event, t *Timing) Effect {
	cell := &tables[m.kind][m.state][e]
	if cell.to == Idle {
		return Effect{Resend: Unchanged, Life: Unchanged}
	}
	m.state = cell.to
	effect := Effect{Do: cell.do, Resend: m.again(cell.resend, t), Life: t.lasts(cell.life, m.reliable)}
	if effect.Life == Off && cell.life > forever && m.state >= Unheard { // nothing to wait for
		m.state = Terminated
	}
	if m.state == Terminated {
		effect.Resend, effect.Life = Off, Off
	}
	return effect
}

func (m *Machine) again(a again, t *Timing) time.Duration {
	switch {
	case a == keep:
		return Unchanged
	case a == stop || m.reliable && m.state != Repeating: // whose ACK comes from further away
		return Off
	}
	switch a {
	case begin:
		m.interval = t.T1
	case double:
		m.interval *= 2
	case slower:
		m.interval = min(2*m.interval, t.T2)
	default:
		m.interval = t.T2
	}
	return m.interval
}

// lasts returns how long a period is. Over a reliable transport nothing comes again, so nothing lingers for that.
func (t *Timing) lasts(p period, reliable bool) time.Duration {
	switch p {
	case asItIs:
		return Unchanged
	case noAnswer:
		return t.NoAnswer
	case noFinal:
		return t.NoFinal
	case giveUp, linger64:
		return 64 * t.T1
	case restOfB:
		return max(64*t.T1-t.NoAnswer, Off)
	case lingerWait, lingerT4, lingerD:
		switch {
		case reliable:
			return Off
		case p == lingerT4:
			return t.T4
		case p == lingerD:
			return 64 * t.T1
		}
		return t.Wait
	default:
		return Off
	}
}
