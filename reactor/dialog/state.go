package dialog

// State is where a dialog is; the numbers are those that scripts and management see.
type State uint8

// The states.
const (
	Unconfirmed State = iota + 1 // nothing was heard
	Early                        // a provisional response with a tag
	Answered                     // a 2xx, and no ACK yet
	Confirmed                    // and its ACK
	Ended
)

// event is what changes a state.
type event uint8

const (
	ring   event = iota // a provisional response with a tag
	answer              // a 2xx
	ack                 // the ACK to it
	end                 // BYE, failure, time
	events
)

// next is the state that an event leads to; 0: it changes nothing.
var next = [Ended + 1][events]State{
	Unconfirmed: {ring: Early, answer: Answered, end: Ended},
	Early:       {answer: Answered, end: Ended},
	Answered:    {ack: Confirmed, end: Ended},
	Confirmed:   {end: Ended},
	Ended:       {},
}

// Reason says why a dialog ended.
type Reason uint8

// The reasons, as scripts see them.
const (
	NoReason Reason = iota
	UpstreamBYE
	DownstreamBYE
	Timeout
	ByManagement
	PingTimeout
	ReinvitePingTimeout
	MediaTimeout
	Race
	Failed // it was never answered
)

// String returns what $DLG_end_reason says.
func (r Reason) String() string {
	return [...]string{"", "Upstream BYE", "Downstream BYE", "Lifetime Timeout", "MI Termination", "Ping Timeout",
		"ReINVITE Ping Timeout", "RTPProxy Timeout", "SIP Race Condition", ""}[r]
}

// Direction says which way a message of a dialog goes.
type Direction uint8

// The directions.
const (
	Unknown    Direction = iota
	Downstream           // from the caller
	Upstream             // from the callee
)

// String returns what $DLG_dir says.
func (d Direction) String() string { return [...]string{"", "downstream", "upstream"}[d] }
