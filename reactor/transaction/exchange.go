package transaction

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
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

	mu    sync.Mutex
	held  bool
	queue []event // what came while it is held

	key, merge uint64
	merged     bool    // merge is entered
	invited    uint64  // the key in Layer.invites; 0: none
	answered   uint64  // the key in Layer.answers; 0: none
	breadth    int     // Max-Breadth of the request and 1; 0: not looked at
	origin     *origin // nil: the request came from a client
	src        *reactor.Source
	up         proxy.Upstream
	request    *sipframe.Buffer // the request as it came; nil once it was answered
	method     sipframe.Method
	base       *proxy.Changes // the request route's; nil: none yet, or it was answered
	times      *Timing        // its own, where the script has set one; nil: the layer's
	legs       []*Leg
	last       *sipframe.Buffer // what went upstream last, where that may be lost
	lastCode   int
	replied    int // the code of the last stateful response upstream, 0 = none

	c       *proxy.Context // the holder's: what it sends by, and the response at hand
	rc      *proxy.Context // with the request in it; nil while nobody has that
	at      *Leg           // whose response is at hand, or who is being sent
	dropped bool           // the response at hand goes no further
	over    bool           // Gone was called
	settled bool           // it no longer counts as one that waits for its final response
	kept    bool           // an answer will come from elsewhere: the end of the script is no end

	cancel    []byte       // Reason of CANCELs to be sent
	headers   []byte       // of AddHeaders
	noFail    bool         // no further address is tried
	attached  []attachment // what others keep with it
	implied   bool         // see Imply
	listeners []Listener
}

// Leg is a branch with its messages.
type Leg struct {
	Branch
	// Set is what the branch was sent with: URI, destination, Path, q, socket, flags and attributes.
	Set proxy.Branch
	// Attached belongs to the Script, until its Release.
	Attached any

	way      proxy.Way
	sent     *sipframe.Buffer // the request, over reliable transports its root (wire.go); nil once nothing can be made of it
	own      *proxy.Changes   // for the next address; nil if there is none
	response *sipframe.Buffer // the final one that may be the answer
	try      uint8
	fresh    bool // it is written anew
	received int  // code of the last response; 0: none came
	breadth  int  // Max-Breadth that it was sent with; 0: as it came
}

// Target returns where the branch was sent last. It is valid as long as the Leg is, and not to be changed.
func (l *Leg) Target() *reactor.Target { return l.way.Target() }

// event is something that happened while an Exchange was held.
type event struct {
	kind   eventKind
	handle uint64
	timer  *Timer
	buf    *sipframe.Buffer
	src    *reactor.Source
	do     func(x *Exchange, c *proxy.Context)
}

type eventKind uint8

const (
	evTimer    eventKind = iota
	evResponse           // buf
	evRepeat
	evAck
	evCancel // buf: its Reason
	evReturned
	evReplyLost
	evDo
)

// maxQueue bounds what waits for the holder. Timers are no more than there are, and a call is not repeated by a peer.
const maxQueue = 64

// hold takes the Exchange that has the handle, or leaves the event in its queue. It reports whether it is the caller's
// now, and whether there is such a one. data, if not nil, is copied where the event has to wait.
func (x *Exchange) hold(handle uint64, e event, data []byte) (mine, there bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.handle.Load() != handle&exchangeMask || x.over {
		return false, false
	}
	if !x.held {
		x.held = true
		return true, true
	}
	if len(x.queue) >= maxQueue && (e.kind == evResponse || e.kind == evRepeat || e.kind == evAck) {
		x.shard.stat.add(statDropped)
		return false, true
	}
	if data != nil {
		e.buf = hoard(data)
	}
	x.queue = append(x.queue, e)
	return false, true
}

// letGo works off the queue and lets go of the Exchange. c is not in use, or is the holder's with a message of its own.
func (x *Exchange) letGo(c *proxy.Context) {
	for {
		x.mu.Lock()
		if len(x.queue) == 0 || x.over {
			break
		}
		e := x.queue[0]
		copy(x.queue, x.queue[1:])
		x.queue[len(x.queue)-1] = event{}
		x.queue = x.queue[:len(x.queue)-1]
		x.mu.Unlock()
		x.late(c, e)
	}
	over := x.over
	if !over && x.settledEnough() {
		r := x.leave()
		x.mu.Unlock()
		x.fold(r)
		return
	}
	if over { // nothing that waits means anything any more
		for i := range x.queue {
			drop(&x.queue[i].buf)
			x.queue[i] = event{}
		}
		x.queue = x.queue[:0]
	} else {
		x.held = false
	}
	x.c, x.rc = nil, nil
	x.mu.Unlock()
	if over {
		x.layer.recycle(x)
	}
}

// late handles an event that has waited.
func (x *Exchange) late(c *proxy.Context, e event) {
	l := x.layer
	o := l.context(c)
	defer l.putContext(o)
	x.c, x.rc = o, nil
	switch e.kind {
	case evResponse:
		if o.Begin(e.buf.Bytes(), e.src) == nil {
			x.response(o, e.handle)
		}
		o.End()
	case evCancel:
		x.canceling(e.buf.Bytes())
	default:
		x.happen(e)
	}
	drop(&e.buf)
}

// happen handles an event that brings no message. The Exchange is the caller's.
func (x *Exchange) happen(e event) {
	now := x.layer.now()
	switch e.kind {
	case evTimer:
		if e.timer.branch >= 0 {
			x.at = x.legs[e.timer.branch]
		}
		x.count(e.timer)
		Fire(now, e.timer)
	case evRepeat:
		x.Repeated(now)
	case evAck:
		x.Acknowledged(now)
		if s := x.State(); s == Confirmed || s == Accepted {
			drop(&x.last)
		}
		x.tell(Acked, nil, 0, nil)
	case evReturned:
		if leg := x.legOf(e.handle); leg != nil {
			x.at = leg
			x.Unreachable(now, &leg.Branch)
		}
	case evReplyLost:
		x.Undelivered(now)
	case evDo:
		e.do(x, x.c)
	case evResponse, evCancel: // they bring bytes: see late and deliver
	}
}

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

// Do has f called by a holder of the Exchange that has the handle, on the worker of c or later on another one. c may be
// nil: then that is a worker of its shard. f gets a Context without a message. It reports whether there is such an
// Exchange. Any goroutine.
func (l *Layer) Do(c *proxy.Context, handle uint64, f func(x *Exchange, c *proxy.Context)) bool {
	if c == nil {
		s := l.shardOf(handle)
		if l.engine == nil || s == nil {
			return false
		}
		l.engine.Post(s.index, &errand{l, handle, f})
		return true
	}
	return l.deliver(c, event{kind: evDo, handle: handle, do: f}, nil)
}

// errand is a call that is on its way to a shard.
type errand struct {
	layer  *Layer
	handle uint64
	f      func(x *Exchange, c *proxy.Context)
}

// Run makes the call.
func (e *errand) Run(w *reactor.Worker) {
	c := e.layer.workerContext(w)
	e.layer.Do(c, e.handle, e.f)
	e.layer.putContext(c)
}

// shardOf returns the shard of a transaction; nil: there is none.
func (l *Layer) shardOf(handle uint64) *shard {
	if x := l.table.get(handle); x != nil {
		return x.shard
	}
	if r := l.table.left(handle); r != nil {
		return r.shard.Load()
	}
	return nil
}

// deliver brings an event without a message to a transaction. It reports whether there is one with its handle.
func (l *Layer) deliver(c *proxy.Context, e event, data []byte) bool {
	var mine, there bool
	x := l.table.get(e.handle)
	if x != nil {
		mine, there = x.hold(e.handle, e, data)
	}
	if !there { // or just no longer
		r := l.table.left(e.handle)
		return r != nil && r.event(c, &e)
	}
	if mine {
		o := l.context(c)
		x.c, x.rc = o, nil
		if e.kind == evCancel {
			x.canceling(data)
		} else {
			x.happen(e)
		}
		x.letGo(o)
		l.putContext(o)
	}
	return there
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

// Source returns where the request came from; nil for one of ours.
func (x *Exchange) Source() *reactor.Source { return x.src }

// Replied returns the code of the last response that went upstream, 0 while none did.
func (x *Exchange) Replied() int { return x.replied }

// Number returns which branch the leg is, from 0.
func (b *Leg) Number() int { return b.Index }

// Received returns the code of the last response that came, 0 while none did.
func (b *Leg) Received() int { return b.received }

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
