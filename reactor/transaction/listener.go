package transaction

import (
	"slices"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/proxy"
)

// Occasion is what a Listener is told of.
type Occasion uint8

// The occasions.
const (
	// Created: a request has got a transaction.
	Created Occasion = iota
	// BranchOut: the request in Context is about to be sent for a branch; what is changed there is that branch's.
	BranchOut
	// RequestOut: the request was sent for a branch, or goes to its next address; Text is how.
	RequestOut
	// ResponseIn: a response of a branch came, in Context, the script's changes made.
	ResponseIn
	// ResponseOut: a provisional response or a 2xx, in Context, is about to go upstream.
	ResponseOut
	// OwnOut: a response of ours is about to go upstream; Context has the request.
	OwnOut
	// OwnWritten: the same, as Text is.
	OwnWritten
	// Answered: a final response has gone upstream, for an INVITE each 2xx; Text is that.
	Answered
	// Failing: no branch is left that might succeed, and the failure_route, if there is one, comes next. Leg is the
	// one that counts, with its Response unless that would be ours.
	Failing
	// Canceled: the client has canceled the request.
	Canceled
	// Acked: the ACK to a final response has come, in the case of a 2xx to one of ours.
	Acked
	// Lost: the request will not be answered, or the answer is not acknowledged.
	Lost
	// Over, once: the transaction ends, or its final response has gone upstream and no branch is left. Behind that
	// only what comes again is told of, and a 2xx of another fork.
	Over
)

// Happening is something that a Listener is told of. It is valid in the call only.
type Happening struct {
	What     Occasion
	Exchange *Exchange
	Leg      *Leg           // of BranchOut, RequestOut, ResponseIn, ResponseOut, Failing, and of Answered if it was one's; else nil
	Code     int            // of responses
	Text     []byte         // as it was sent; nil where it was not yet
	Context  *proxy.Context // what the transaction sends by; which message it has, the occasion tells
}

// Listener is told what happens to a transaction, by its holder.
type Listener func(h *Happening)

// Listen has f told of all transactions from now on, until stop is called. Any goroutine.
func (l *Layer) Listen(f Listener) (stop func()) { return l.listeners.add(f) }

// told are those who are told of something. Who tells reads them without a lock.
type told[F any] struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*F]
}

func (t *told[F]) add(f F) (stop func()) {
	own := &f
	t.change(func(all []*F) []*F { return append(slices.Clone(all), own) })
	return func() {
		t.change(func(all []*F) []*F {
			return slices.DeleteFunc(slices.Clone(all), func(other *F) bool { return other == own })
		})
	}
}

func (t *told[F]) change(f func([]*F) []*F) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*F
	if p := t.all.Load(); p != nil {
		all = *p
	}
	if all = f(all); len(all) == 0 {
		t.all.Store(nil)
		return
	}
	t.all.Store(&all)
}

// Listen has f told of what happens to this transaction from now on.
func (x *Exchange) Listen(f Listener) { x.listeners = append(x.listeners, f) }

// tell tells the listeners.
func (x *Exchange) tell(what Occasion, leg *Leg, code int, text []byte) {
	x.tellOn(x.c, what, leg, code, text)
}

// tellOver tells that it is over, once.
func (x *Exchange) tellOver() {
	if !x.told {
		x.told = true
		x.tell(Over, nil, 0, nil)
	}
}

func (x *Exchange) tellOn(c *proxy.Context, what Occasion, leg *Leg, code int, text []byte) {
	all := x.layer.listeners.all.Load()
	if all == nil && len(x.listeners) == 0 {
		return
	}
	h, _ := happenings.Get().(*Happening)
	*h = Happening{What: what, Exchange: x, Leg: leg, Code: code, Text: text, Context: c}
	if all != nil {
		for _, f := range *all {
			(*f)(h)
		}
	}
	for i := 0; i < len(x.listeners); i++ { // a listener may bring another
		x.listeners[i](h)
	}
	*h = Happening{}
	happenings.Put(h)
}

// happenings are some to tell by: a call has fifteen and more.
var happenings = sync.Pool{New: func() any { return new(Happening) }}
