package sendqueue

import "sync/atomic"

// Waiter is a sender that waits for the fate of one message. Who writes settles it
// or the sender abandons it: whoever is first decides who is told of a failure.
type Waiter struct {
	state atomic.Uint32
	news  chan News
}

// News is what a waiting sender hears.
type News struct {
	Connected bool  // TCP is up, the handshake begins
	Err       error // why the message is not written; nil = it is
}

const (
	waiting uint32 = iota
	settled
	abandoned
)

// NewWaiter returns a sender that waits.
func NewWaiter() *Waiter { return &Waiter{news: make(chan News, 2)} }

// News returns where the sender hears: that TCP is up, perhaps, and then its fate.
func (w *Waiter) News() <-chan News { return w.news }

// Settle tells the sender the fate of its message: nil is written. It returns false
// when the sender no longer waits.
func (w *Waiter) Settle(err error) bool {
	if !w.state.CompareAndSwap(waiting, settled) {
		return false
	}
	w.news <- News{Err: err}
	return true
}

// Abandon ends the wait without a result; false when there is one already.
func (w *Waiter) Abandon() bool { return w.state.CompareAndSwap(waiting, abandoned) }

// Connected tells the sender that the handshake begins. It is called once.
func (w *Waiter) Connected() {
	if w.state.Load() == waiting {
		w.news <- News{Connected: true}
	}
}
