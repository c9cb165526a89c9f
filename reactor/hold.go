package reactor

import "golang.org/x/sys/unix"

// A connection that brings more than is handled costs the others nothing. The
// loop does not read it while many of its messages are in hand: TCP then slows
// the peer down. And what it brings beyond a few goes into the crowd of its
// shard, which messages of calmer connections pass. A message whose Handler
// waits is not in hand: that a destination is slow is no fault of whoever sent
// it.

const (
	// holdAt is how many messages in hand end the reading of a connection, and
	// holdUntil how few of them let it go on.
	holdAt, holdUntil = 128, 32
	// crowdAt is from how many in hand on a connection's messages join the crowd.
	crowdAt = 16
)

// handled takes a message out of the count. Any goroutine.
func (c *conn) handled() {
	if c.inHand.Add(-1) == holdUntil && c.held.Load() {
		c.loop.post(c, evRead)
	}
}

// dense tells whether the connection's next messages join the crowd: behind what
// is there of it, or because there are many.
func (c *conn) dense() bool { return c.crowded.Load() > 0 || c.inHand.Load() > crowdAt }

// hold ends the reading of a connection that has too much in hand, or brought
// what is too much for all. Loop only.
func (l *loop) hold(c *conn) {
	excess := c.excess
	c.excess = false
	if !excess && c.inHand.Load() < holdAt || c.held.Load() || c.phase != established {
		return
	}
	l.stat.held.Add(1)
	l.hear(c, false)
	c.held.Store(true)
	switch {
	case excess:
		l.pause(c)
	case c.inHand.Load() <= holdUntil: // they were worked off just now, perhaps before held was seen
		l.release(c)
	}
}

// release goes on reading. Loop only.
func (l *loop) release(c *conn) {
	if c.paused {
		return // unpause will
	}
	if c.held.CompareAndSwap(true, false) {
		l.hear(c, true)
	}
}

// hear has gnet read a connection, or not: gnet cannot stop, but does not hear
// of a socket that its epoll set tells nothing of. As long as the set is not
// known, the socket's low-water mark serves. Loop only.
func (l *loop) hear(c *conn, yes bool) {
	if l.set < 0 || c.muffled {
		readable(c.fd, yes)
		c.muffled = !yes // what was begun one way ends that way
		return
	}
	ev := unix.EpollEvent{Fd: int32(c.fd)}
	if yes {
		ev.Events = unix.EPOLLIN | unix.EPOLLPRI // as gnet has it
	}
	_ = unix.EpollCtl(l.set, unix.EPOLL_CTL_MOD, c.fd, &ev)
}

// readable has the kernel tell of bytes to read, or not: a socket below its
// low-water mark is not readable as long as the kernel has room for more. The
// end of the stream is told all the same.
func readable(fd int, yes bool) {
	mark := 1
	if !yes {
		mark = 1 << 30 // the kernel makes it the largest that it allows
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVLOWAT, mark)
}
