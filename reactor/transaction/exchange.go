package transaction

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/attached"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Exchange is a transaction with its messages: the Transaction's User. It belongs to whoever holds it, one goroutine at a
// time: the one that handles the request until its script is done, then those that bring events. Who comes while it is
// held leaves the event in its queue, and the holder works that off before it lets go. So nobody waits for anybody, what
// happens to a transaction happens in order, and a script may wait in the middle of it.
//
// All methods but those that say otherwise are the holder's, which a Listener, a Script and what they call are.
type Exchange struct {
	Transaction

	// Attached belongs to the Script, until its Release.
	Attached any

	layer  *Layer
	shard  *shard
	handle atomic.Uint64 // of branch 0, try 0; 0: over

	accepted  atomic.Bool // a 2xx went upstream
	mu        sync.Mutex  // for held, over and queue
	breadth   int32       // Max-Breadth of the request and 1; 0: not looked at
	responded int32       // the code of the last stateful response upstream, 0 = none

	held    bool
	over    bool // Gone was called
	merged  bool // merge is entered
	indexed bool // invited is entered
	dropped bool // the response at hand goes no further
	settled bool // it no longer counts as one that waits for its final response
	told    bool // listeners know that it is over
	kept    bool // an answer will come from elsewhere: the end of the script is no end
	noFail  bool // no further address is tried
	implied bool // see Imply
	method  sipframe.Method

	queue      []event // what came while it is held
	key, merge uint64
	invited    atomic.Uint64 // the InviteKey; 0: none
	answered   uint64        // the key in Layer.answers; 0: none
	origin     *origin       // nil: the request came from a client
	src        *reactor.Source
	up         proxy.Upstream
	request    *sipframe.Buffer // the request as it came; nil once it was answered
	base       *proxy.Changes   // the request route's; nil: none yet, or it was answered
	times      *Timing          // its own, where the script has set one; nil: the layer's
	legs       []*Leg
	last       *sipframe.Buffer // what went upstream last, where that may be lost

	c  *proxy.Context // the holder's: what it sends by, and the response at hand
	rc *proxy.Context // with the request in it; nil while nobody has that
	at *Leg           // whose response is at hand, or who is being sent

	words     *words        // nil: none
	attached  attached.List // what others keep with it
	listeners []Listener
}

// words are what requests of the transaction say that is not the request's. Few have any.
type words struct {
	cancel  []byte // Reason of CANCELs to be sent
	headers []byte // of AddHeaders
}

// says returns the words, to add to.
func (x *Exchange) says() *words {
	if x.words == nil {
		x.words = new(words)
	}
	return x.words
}

// ownHeaders returns those of AddHeaders.
func (x *Exchange) ownHeaders() []byte {
	if x.words == nil {
		return nil
	}
	return x.words.headers
}

// Leg is a branch with its messages.
type Leg struct {
	Branch
	// Set is what the branch was sent with: URI, destination, Path, q, socket, flags and attributes.
	Set proxy.Branch
	// Attached belongs to the Script, until its Release.
	Attached any

	way      proxy.Way
	sent     *sipframe.Buffer // the request, over reliable transports its root (wire.go); nil: it is to be written, or nothing can be made of it any more
	own      *proxy.Changes   // for the next address; nil if there is none
	response *sipframe.Buffer // the final one that may be the answer
	try      uint8
	unheard  uint8 // of its first tries those that nothing was heard of in time, a bit for each
	received int16 // code of the last response; 0: none came
	breadth  int32 // Max-Breadth that it was sent with; 0: as it came
}

// Target returns where the branch was sent last. It is valid as long as the Leg is, and not to be changed.
func (l *Leg) Target() *reactor.Target { return l.way.Target() }

// legOf returns the leg whose present try a handle names; nil: there is none.
func (x *Exchange) legOf(handle uint64) *Leg {
	if i := branchOf(handle); i < len(x.branches) && x.legs[i].try == tryOf(handle) {
		return x.legs[i]
	}
	return nil
}

// name returns the handle of the leg's present try.
func (x *Exchange) name(leg *Leg) uint64 {
	return x.handle.Load() | uint64(leg.Index)<<branchShift | uint64(leg.try)<<tryShift
}

// Handle returns what names the Exchange as long as it lives; 0 when it is over. Any goroutine.
func (x *Exchange) Handle() uint64 { return x.handle.Load() }

// Legs returns the branches, in the order they were added. The slice is the caller's to read.
func (x *Exchange) Legs() []*Leg { return x.legs[:len(x.branches)] }

// At returns the leg that is at hand: whose response is handled, who is sent, or for a failure who completed last.
func (x *Exchange) At() *Leg { return x.at }

// Method returns the request's.
func (x *Exchange) Method() sipframe.Method { return x.method }

// Request returns the request's bytes, nil once it was answered and nothing refers to them. They are borrowed.
func (x *Exchange) Request() []byte {
	if x.request == nil {
		return nil
	}
	return x.request.Bytes()
}

// RequestURI returns the Request-URI as the request's route left it; nil: as it came. It is borrowed.
func (x *Exchange) RequestURI() []byte {
	if x.base == nil {
		return nil
	}
	return x.base.RequestURI()
}

// Source returns where the request came from; nil for one of ours.
func (x *Exchange) Source() *reactor.Source { return x.src }

// Responded returns the code of the last response that went upstream, 0 while none did.
func (x *Exchange) Responded() int { return int(x.responded) }

// Number returns which branch the leg is, from 0.
func (b *Leg) Number() int { return b.Index }

// Received returns the code of the last response that came, 0 while none did.
func (b *Leg) Received() int { return int(b.received) }

// Way returns where the branch was sent to last.
func (b *Leg) Way() *proxy.Way { return &b.way }

// Response returns the final response that was kept as what may be the answer, as it would go upstream; nil: none. It is
// borrowed.
func (b *Leg) Response() []byte {
	if b.response == nil {
		return nil
	}
	return b.response.Bytes()
}

// legs of branches.
func leg(b *Branch) *Leg { return b.User.(*Leg) }

// SetTimeouts has the transaction wait for other times than the configured ones, from now on; 0 leaves one as it is.
func (x *Exchange) SetTimeouts(noAnswer, noFinal time.Duration) {
	if noAnswer <= 0 && noFinal <= 0 {
		return
	}
	if x.times == nil {
		x.times = x.layer.takeTiming()
		*x.times = *x.timing
		x.timing = x.times
	}
	if noAnswer > 0 {
		x.times.NoAnswer = noAnswer
	}
	if noFinal > 0 {
		x.times.NoFinal = noFinal
	}
}

// Timing returns the times of the transaction, to read.
func (x *Exchange) Timing() *Timing { return x.timing }

// hoard copies bytes into a buffer of their size.
func hoard(b []byte) *sipframe.Buffer {
	buf := sipframe.NewBuffer(len(b))
	buf.Advance(copy(buf.Free(), b))
	return buf
}

// drop lets go of a buffer, if there is one.
func drop(b **sipframe.Buffer) {
	if *b != nil {
		(*b).Release()
		*b = nil
	}
}

// peer is where a transaction's responses go, for the log.
func (x *Exchange) peer() netip.AddrPort {
	if x.src == nil {
		return netip.AddrPort{}
	}
	return x.src.Remote
}
