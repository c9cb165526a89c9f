package connectqueue

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
// given back, and the socket is aborted. It holds no loop and no worker. The queue's
// lock guards it.
type lingering struct {
	fd      int
	unacked sendqueue.Unacknowledged
	parted  func(rest *sendqueue.Unacknowledged)
	timer   *time.Timer
	until   int64 // on the queue's clock
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

// Linger keeps a socket open that is about to be closed: its own descriptor of it,
// with what the peer has not acknowledged, which it takes. parted gets, once and
// under the queue's lock, what is left of that; the socket is reset then if anything
// is. It returns false when it cannot, and has taken nothing.
func (q *Queue[C]) Linger(fd int, unacked *sendqueue.Unacknowledged, parted func(rest *sendqueue.Unacknowledged)) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lingers) >= q.MaxLingering {
		return false
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false
	}
	g := &lingering{fd: own, unacked: *unacked, parted: parted, until: q.now() + int64(lingerTime), wait: lingerLook}
	if unix.Shutdown(own, unix.SHUT_WR) == nil {
		g.unacked.Sent++ // TCP counts the FIN
	}
	if err := q.watch.Readable(own, false); err != nil {
		unix.Close(own)
		return false
	}
	q.lingers[int32(own)] = g
	g.timer = time.AfterFunc(lingerTime, func() { q.look(g) })
	*unacked = sendqueue.Unacknowledged{}
	return true
}

// drain reads a lingering socket. The lock is held.
func (q *Queue[C]) drain(g *lingering) {
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
			_ = q.watch.Readable(g.fd, true)
			return
		case err == nil:
			g.ended = true
			q.settle(g)
		default:
			q.part(g)
		}
		return
	}
}

// look comes back to a lingering socket.
func (q *Queue[C]) look(g *lingering) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lingers[int32(g.fd)] == g {
		q.settle(g)
	}
}

// settle closes a lingering socket if there is nothing to wait for, and else
// looks again. The lock is held.
func (q *Queue[C]) settle(g *lingering) {
	out, _ := g.unacked.Ask(g.fd)
	if left := g.until - q.now(); left > 0 && !(g.ended && (out == 0 || kernel.Dead(g.fd))) {
		wait := time.Duration(left)
		if g.ended {
			wait = min(wait, g.wait)
			g.wait *= 2
		}
		g.timer.Reset(wait)
		return
	}
	q.part(g)
}

// part closes a lingering socket and gives back what the peer does not have. The
// lock is held.
func (q *Queue[C]) part(g *lingering) {
	delete(q.lingers, int32(g.fd))
	g.timer.Stop()
	g.unacked.Ask(g.fd)
	if !g.unacked.Empty() {
		kernel.AbortOnClose(g.fd)
	}
	unix.Close(g.fd)
	g.parted(&g.unacked)
}

// CutLingering ends every lingering socket at once.
func (q *Queue[C]) CutLingering() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, g := range q.lingers {
		q.part(g)
	}
}

// Lingering returns how many sockets linger.
func (q *Queue[C]) Lingering() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lingers)
}
