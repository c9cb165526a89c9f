package relay

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/rescue"
)

// Notices is a socket by which relays tell a module what they notice. It outlives reloads that leave its address as it is:
// then the next configuration's module hears what comes. Whoever reaches the socket can tell; the module judges that.
// Any goroutine may call its methods.
type Notices[M any] struct {
	at    string
	of    atomic.Pointer[M]
	stop  func() // closes the socket, and what came by it
	ended chan struct{}
	tasks sync.WaitGroup
}

// TakeNotices has a module get what the socket at an address brings: that of the one before, if it has the same, or a new
// one, which open opens. open starts what reads by Go, and returns what has that end.
func TakeNotices[M any](m *M, before *Notices[M], at string, open func(n *Notices[M]) (stop func(), err error)) (*Notices[M], error) {
	if before != nil && before.at == at {
		before.of.Store(m)
		return before, nil
	}
	n := &Notices[M]{at: at, ended: make(chan struct{})}
	n.of.Store(m)
	var err error
	n.stop, err = open(n)
	return n, err
}

// Of returns the module that hears it now.
func (n *Notices[M]) Of() *M { return n.of.Load() }

// Go runs a task that reads, which Leave waits for.
func (n *Notices[M]) Go(task func()) {
	n.tasks.Go(func() { _ = rescue.Run(nil, "a socket of notifications", task) })
}

// Again reports whether there is another try behind an error of the socket, and waits until it is time for that: what the
// machine is short of, as descriptors, comes back.
func (n *Notices[M]) Again(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-n.ended:
		return false
	case <-timer.C:
		return true
	}
}

// Leave leaves the socket to a module, which may be the one before if a later one has failed; its are the Notices of that. If
// those are others, or nil, the socket is closed. n may be nil.
func (n *Notices[M]) Leave(next *M, its *Notices[M]) {
	switch {
	case n == nil:
	case next != nil && its == n:
		n.of.Store(next)
	default:
		close(n.ended)
		n.stop()
		n.tasks.Wait()
	}
}
