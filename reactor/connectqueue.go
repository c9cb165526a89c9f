package reactor

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/poller"
)

// connectQueue owns the sockets whose connect is under way, and watches established
// ones for the loops that take no more bytes, since those hear of readability only.
// What is parked here costs nothing while nothing happens. Any goroutine.
type connectQueue struct {
	eng   *Engine
	watch *poller.Watch

	mu      sync.Mutex
	parked  map[int32]*conn // by descriptor, both kinds
	timers  map[*conn]*time.Timer
	lingers map[int32]*lingering // by descriptor
}

func newConnectQueue(e *Engine) (*connectQueue, error) {
	p := &connectQueue{eng: e, parked: make(map[int32]*conn), timers: make(map[*conn]*time.Timer), lingers: make(map[int32]*lingering)}
	var err error
	p.watch, err = poller.NewWatch(p.ready, func(err error) { e.log.Error("the connect queue has stopped", "error", err) })
	return p, err
}

// parking is how many connects are parked, lingering how many sockets linger.
func (e *Engine) parking() int {
	if !e.up.Load() {
		return 0
	}
	return e.connects.size()
}

func (e *Engine) lingering() int {
	if !e.up.Load() {
		return 0
	}
	return e.connects.lingering()
}

// size is how many connects are parked.
func (p *connectQueue) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.timers)
}

// add wants a descriptor to be told of once. The lock is held.
func (p *connectQueue) add(c *conn, watch func(fd int, known bool) error) error {
	fd := c.sock.Fd()
	if err := watch(fd, p.parked[int32(fd)] == c); err != nil {
		return err
	}
	p.parked[int32(fd)] = c
	return nil
}

// take removes a descriptor; false when another was faster. The lock is held.
func (p *connectQueue) take(c *conn) bool {
	fd := c.sock.Fd()
	if p.parked[int32(fd)] != c {
		return false
	}
	delete(p.parked, int32(fd))
	p.watch.Forget(fd)
	if t := p.timers[c]; t != nil {
		t.Stop()
		delete(p.timers, c)
	}
	return true
}

// park takes a connection whose connect is under way, for at most limit. The
// queue owns its descriptor from here on.
func (p *connectQueue) park(c *conn, limit time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.closes() { // asked to close before it was here to be found
		return errCloses
	}
	if err := p.add(c, p.watch.Writable); err != nil {
		return err
	}
	p.timers[c] = time.AfterFunc(limit, func() {
		p.abort(c, because(ConnectTimeout, "no answer after "+limit.String()))
	})
	return nil
}

var errCloses = errors.New("the connection was ended before it began")

// cancel ends the parked connect of a connection that is to close.
func (p *connectQueue) cancel(c *conn) { p.abort(c, nil) }

// abort ends a parked connect, unless it is done. The first reason stays.
func (p *connectQueue) abort(c *conn, why *Error) {
	p.mu.Lock()
	// Not parked, not ours: its descriptor may be just being made.
	mine := p.timers[c] != nil && p.take(c)
	p.mu.Unlock()
	if mine {
		unix.Close(c.sock.Fd())
		if why != nil {
			c.noteClose(why)
		}
		c.cleanUp()
	}
}

// watchWrite tells a loop once when an established socket takes bytes again.
func (p *connectQueue) watchWrite(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, p.watch.Writable)
}

// watchEnd tells a loop once, as if the socket took bytes again, when an
// established connection has been reset.
func (p *connectQueue) watchEnd(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, p.watch.End)
}

// forget ends a watch before the descriptor closes.
func (p *connectQueue) forget(c *conn) {
	p.mu.Lock()
	p.take(c)
	p.mu.Unlock()
}

// ready is called when a descriptor is writable or in error.
func (p *connectQueue) ready(number int) {
	fd := int32(number)
	p.mu.Lock()
	if g := p.lingers[fd]; g != nil {
		p.lingerReady(g)
		p.mu.Unlock()
		return
	}
	c := p.parked[fd]
	if c == nil {
		p.mu.Unlock()
		return
	}
	if p.timers[c] == nil { // a watch
		p.mu.Unlock()
		c.loop.post(c, evWritable)
		return
	}
	err := kernel.SocketError(c.sock.Fd(), nil)
	if err == nil {
		if _, gone := unix.Getpeername(c.sock.Fd()); gone != nil {
			// The event was for an earlier socket of the same number.
			_ = p.add(c, p.watch.Writable)
			p.mu.Unlock()
			return
		}
	}
	p.take(c)
	p.mu.Unlock()
	if err != nil {
		unix.Close(c.sock.Fd())
		c.noteClose(dialFailed(err))
		c.cleanUp()
		return
	}
	p.eng.enroll(c)
}

// close ends the queue; nothing may be parked any more.
func (p *connectQueue) close() { p.watch.Close() }
