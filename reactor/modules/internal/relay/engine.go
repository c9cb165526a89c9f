package relay

// Engine is a module that has media pass its relays, for modules that follow calls by themselves (rtp_relay). Any goroutine
// may call its methods, from the Start to the Stop of the configuration.
type Engine interface {
	// HasSet reports whether there is a set of nodes.
	HasSet(set int) bool
	// DefaultSet is the set of calls for which none is named.
	DefaultSet() int
	// KeepsBranches reports whether the relay tells branches of a call apart, and ends them with it.
	KeepsBranches() bool
	// Check tells what is wrong with flags as this engine has them.
	Check(flags string) error
	// Begin has an SDP that was offered or answered name the relay, by the socket of an event loop (-1: of none). It calls
	// done, once, when x tells what became of that, within 30 seconds, on any goroutine and perhaps before it
	// returns. It does not block, and neither must done.
	Begin(x *Exchange, loop int, done func())
	// Delete ends the media of a call, or of a branch where the engine keeps none. It blocks until the relay has answered, up
	// to 30 seconds.
	Delete(m *Media, flags string) error
}

// Media names the media of a call, or of a branch of one.
type Media struct {
	Set  int
	Node string // URL; "" the one that the Call-ID leads to
	// CallID and the tags name the call: From is the party that has made the offer, To the other one, "" while that has
	// no tag.
	CallID, From, To string
	Branch           int // of the INVITE, from 0; in later requests that of the callee
}

// Exchange is an offer or an answer.
type Exchange struct {
	Media
	Answer bool
	SDP    []byte
	Source string // address that the SDP came from; "" is not known
	Flags  string // as the engine's functions have them
	IP     string // instead of the relay's address; "" is that
	Type   string // transport protocol for who gets the SDP; "" as it is
	// In and Out are the interfaces of who has sent the SDP, and of who gets it; "" leaves them to the relay.
	In, Out string

	// What became of it.
	Fresh   []byte // the SDP that names the relay
	Reached string // the node that it is
	Err     error
}
