package reactor

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/poller"
)

// lot is the parking lot: one epoll set with a goroutine that sleeps until a
// socket is writable. It owns the sockets whose connect is under way, and lends
// the loops its eye for established ones that take no more bytes, since gnet
// tells readability only. What is parked costs nothing while nothing happens.
type lot struct {
	eng   *Engine
	watch *poller.Watch

	mu      sync.Mutex
	parked  map[int32]*conn // by descriptor, both kinds
	timers  map[*conn]*time.Timer
	lingers map[int32]*lingering // by descriptor
}

func newLot(e *Engine) (*lot, error) {
	p := &lot{eng: e, parked: make(map[int32]*conn), timers: make(map[*conn]*time.Timer), lingers: make(map[int32]*lingering)}
	var err error
	p.watch, err = poller.NewWatch(p.ready, func(err error) { e.log.Error("the connect queue has stopped", "error", err) })
	return p, err
}

// parking is how many connects are parked, lingering how many sockets linger.
func (e *Engine) parking() int {
	if !e.up.Load() {
		return 0
	}
	return e.lot.size()
}

func (e *Engine) lingering() int {
	if !e.up.Load() {
		return 0
	}
	return e.lot.lingering()
}

// size is how many connects are parked.
func (p *lot) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.timers)
}

// add wants a descriptor to be told of once. The lock is held.
func (p *lot) add(c *conn, watch func(fd int, known bool) error) error {
	fd := c.sock.Fd()
	if err := watch(fd, p.parked[int32(fd)] == c); err != nil {
		return err
	}
	p.parked[int32(fd)] = c
	return nil
}

// take removes a descriptor; false when another was faster. The lock is held.
func (p *lot) take(c *conn) bool {
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
// lot owns its descriptor from here on.
func (p *lot) park(c *conn, limit time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.doomed() { // killed before it was here to be found
		return errDoomed
	}
	if err := p.add(c, p.watch.Writable); err != nil {
		return err
	}
	p.timers[c] = time.AfterFunc(limit, func() {
		p.abort(c, because(ConnectTimeout, "no answer after "+limit.String()))
	})
	return nil
}

var errDoomed = errors.New("the connection was ended before it began")

// cancel ends the parked connect of a condemned connection.
func (p *lot) cancel(c *conn) { p.abort(c, nil) }

// abort ends a parked connect, unless it is done. The first reason stays.
func (p *lot) abort(c *conn, why *Error) {
	p.mu.Lock()
	// Not parked, not ours: its descriptor may be just being made.
	mine := p.timers[c] != nil && p.take(c)
	p.mu.Unlock()
	if mine {
		unix.Close(c.sock.Fd())
		if why != nil {
			c.condemn(why)
		}
		c.release()
	}
}

// watchWrite tells a loop once when an established socket takes bytes again.
func (p *lot) watchWrite(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, p.watch.Writable)
}

// watchEnd tells a loop once, as if the socket took bytes again, when an
// established connection has been reset.
func (p *lot) watchEnd(c *conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(c, p.watch.End)
}

// forget ends a watch before the descriptor closes.
func (p *lot) forget(c *conn) {
	p.mu.Lock()
	p.take(c)
	p.mu.Unlock()
}

// ready is called when a descriptor is writable or in error.
func (p *lot) ready(number int) {
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
		c.condemn(dialFailed(err))
		c.release()
		return
	}
	p.eng.enroll(c)
}

// close ends the lot; nothing may be parked any more.
func (p *lot) close() { p.watch.Close() }
