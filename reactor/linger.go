package reactor

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/sendqueue"
)

// lingering is the socket of a connection that has ended in order: its write
// half is shut down, and it is read until the peer has ended too and has
// acknowledged everything, or lingerTime is over. What is unacknowledged then is
// given back, and the socket is aborted. The connect queue's eye watches it; it
// holds no loop and no worker. Its lock guards it.
type lingering struct {
	conn    *conn
	fd      int
	unacked sendqueue.Unacknowledged
	timer   *time.Timer
	until   int64 // on the engine's clock
	wait    time.Duration
	read    int  // bytes that were thrown away
	ended   bool // the peer's FIN has come
}

const (
	lingerTime = 2 * time.Second
	// maxLingering bounds the sockets that linger; what finds no room is closed at
	// once.
	maxLingering = 1024
	// lingerRead is how much of what the peer still says is read. Behind that TCP
	// slows it down.
	lingerRead = 1 << 20
	// lingerLook is how soon it is looked whether the last bytes are acknowledged,
	// of which the kernel does not tell; then half as often each time.
	lingerLook = time.Millisecond
)

// linger keeps the socket of a connection that is about to be closed, in its
// table's stead. It returns false when it cannot. Loop only.
func (p *connectQueue) linger(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lingers) >= maxLingering {
		return false
	}
	fd, err := unix.FcntlInt(uintptr(c.sock.Fd()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false
	}
	g := &lingering{conn: c, fd: fd, unacked: c.unacked, until: p.eng.now() + int64(lingerTime), wait: lingerLook}
	if unix.Shutdown(fd, unix.SHUT_WR) == nil {
		g.unacked.Sent++ // TCP counts the FIN
	}
	if err := p.watch.Readable(g.fd, false); err != nil {
		unix.Close(fd)
		return false
	}
	p.lingers[int32(fd)] = g
	g.timer = time.AfterFunc(lingerTime, func() { p.look(g) })
	c.unacked = sendqueue.Unacknowledged{}
	return true
}

// lingerReady reads a lingering socket. The queue's lock is held.
func (p *connectQueue) lingerReady(g *lingering) {
	var scratch [4096]byte
	for g.read < lingerRead {
		n, err := unix.Read(g.fd, scratch[:])
		switch {
		case n > 0:
			g.read += n
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			_ = p.watch.Readable(g.fd, true)
			return
		case err == nil:
			g.ended = true
			p.settle(g)
		default:
			p.part(g)
		}
		return
	}
}

// look comes back to a lingering socket.
func (p *connectQueue) look(g *lingering) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lingers[int32(g.fd)] == g {
		p.settle(g)
	}
}

// settle closes a lingering socket if there is nothing to wait for, and else
// looks again. The lock is held.
func (p *connectQueue) settle(g *lingering) {
	out, _ := update(&g.unacked, g.fd)
	if left := g.until - p.eng.now(); left > 0 && !(g.ended && (out == 0 || kernel.Dead(g.fd))) {
		wait := time.Duration(left)
		if g.ended {
			wait = min(wait, g.wait)
			g.wait *= 2
		}
		g.timer.Reset(wait)
		return
	}
	p.part(g)
}

// part closes a lingering socket and gives back what the peer does not have. The
// lock is held.
func (p *connectQueue) part(g *lingering) {
	delete(p.lingers, int32(g.fd))
	g.timer.Stop()
	update(&g.unacked, g.fd)
	if !g.unacked.Empty() {
		kernel.AbortOnClose(g.fd)
		p.eng.stat.aborted.Add(1)
	}
	unix.Close(g.fd)
	p.eng.returnAll(g.conn, &g.unacked, g.conn.closeReason)
}

// cutLingering ends every lingering socket at once.
func (p *connectQueue) cutLingering() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.lingers {
		p.part(g)
	}
}

// lingering is how many sockets linger.
func (p *connectQueue) lingering() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lingers)
}
