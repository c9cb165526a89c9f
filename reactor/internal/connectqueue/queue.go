package connectqueue

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/watch"
)

// Conn is a connection, as the queue knows it.
type Conn interface {
	comparable
	// Fd is its descriptor.
	Fd() int
	// Closes reports whether it was asked to close.
	Closes() bool
	// Connected ends its connect: with nil the socket is connected, and the
	// connection's again. Otherwise the descriptor is closed, and the error is ErrTimeout,
	// ErrCancelled or the kernel's.
	Connected(err error)
	// Writable is told that the socket takes bytes again, or that its connection was
	// reset: what WatchWrite and WatchEnd wait for. It does not wait.
	Writable()
}

// How a connect ends besides the ways that the kernel knows.
var (
	// ErrTimeout: it took longer than its limit.
	ErrTimeout = errors.New("connectqueue: no answer in time")
	// ErrCancelled: somebody asked for its end.
	ErrCancelled = errors.New("connectqueue: the connection was ended before it began")
)

// Queue is the connect queue of an engine; see New.
type Queue[C Conn] struct {
	// MaxLingering bounds the sockets that linger. It is set before the first does.
	MaxLingering int

	now   func() int64
	watch *watch.Set

	mu      sync.Mutex
	watched map[int32]C // by descriptor: connects, and those of loops
	limits  map[C]*time.Timer
	lingers map[int32]*lingering // by descriptor
}

// New makes a queue. now is a clock in nanoseconds; failed is told if the queue
// stops because the system did not let it go on.
func New[C Conn](now func() int64, failed func(error)) (*Queue[C], error) {
	q := &Queue[C]{MaxLingering: maxLingering, now: now, watched: make(map[int32]C), limits: make(map[C]*time.Timer), lingers: make(map[int32]*lingering)}
	var err error
	q.watch, err = watch.New(q.ready, failed)
	return q, err
}

// Len returns how many connects are under way.
func (q *Queue[C]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.limits)
}

// Watched returns how many connections the queue has an eye on, connects and those of
// loops.
func (q *Queue[C]) Watched() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.watched)
}

// add wants a descriptor to be told of once. The lock is held.
func (q *Queue[C]) add(c C, watch func(fd int, known bool) error) error {
	fd := c.Fd()
	if err := watch(fd, q.watched[int32(fd)] == c); err != nil {
		return err
	}
	q.watched[int32(fd)] = c
	return nil
}

// take removes a descriptor; false when another was faster. The lock is held.
func (q *Queue[C]) take(c C) bool {
	fd := c.Fd()
	if q.watched[int32(fd)] != c {
		return false
	}
	delete(q.watched, int32(fd))
	q.watch.Forget(fd)
	if t := q.limits[c]; t != nil {
		t.Stop()
		delete(q.limits, c)
	}
	return true
}

// Park takes a connection whose connect is under way, for at most limit. The queue
// owns its descriptor from here on, unless there is an error: ErrCancelled for a
// connection that was asked to close before it was here to be found.
func (q *Queue[C]) Park(c C, limit time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.Closes() {
		return ErrCancelled
	}
	if err := q.add(c, q.watch.Writable); err != nil {
		return err
	}
	q.limits[c] = time.AfterFunc(limit, func() { q.abort(c, ErrTimeout) })
	return nil
}

// Cancel ends the connect of a connection that is to close; nothing happens when it is
// not under way.
func (q *Queue[C]) Cancel(c C) { q.abort(c, ErrCancelled) }

// abort ends a connect, unless it is done.
func (q *Queue[C]) abort(c C, why error) {
	q.mu.Lock()
	// Not parked, not ours: its descriptor may be just being made.
	mine := q.limits[c] != nil && q.take(c)
	q.mu.Unlock()
	if mine {
		unix.Close(c.Fd())
		c.Connected(why)
	}
}

// WatchWrite tells a connection once when its established socket takes bytes again.
func (q *Queue[C]) WatchWrite(c C) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(c, q.watch.Writable)
}

// WatchEnd tells a connection once, as if the socket took bytes again, when it has
// been reset.
func (q *Queue[C]) WatchEnd(c C) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(c, q.watch.End)
}

// Forget ends a watch before the descriptor closes.
func (q *Queue[C]) Forget(c C) {
	q.mu.Lock()
	q.take(c)
	q.mu.Unlock()
}

// ready is called when a descriptor is writable or in error.
func (q *Queue[C]) ready(number int) {
	fd := int32(number)
	q.mu.Lock()
	if g := q.lingers[fd]; g != nil {
		q.drain(g)
		q.mu.Unlock()
		return
	}
	c, known := q.watched[fd]
	if !known {
		q.mu.Unlock()
		return
	}
	if q.limits[c] == nil { // a watch
		q.mu.Unlock()
		c.Writable()
		return
	}
	err := kernel.SocketError(number, nil)
	if err == nil {
		if _, gone := unix.Getpeername(number); gone != nil {
			// The event was for an earlier socket of the same number.
			_ = q.add(c, q.watch.Writable)
			q.mu.Unlock()
			return
		}
	}
	q.take(c)
	q.mu.Unlock()
	if err != nil {
		unix.Close(number)
	}
	c.Connected(err)
}

// Close ends the queue; nothing may be parked any more.
func (q *Queue[C]) Close() { q.watch.Close() }
