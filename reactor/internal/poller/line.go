package poller

import (
	"cmp"
	"net"

	"github.com/panjf2000/gnet/v2"

	"sipreactor/reactor/internal/datagrams"
	"sipreactor/reactor/internal/standin"
)

// Line is a connected socket of datagrams that a loop reads. Its methods may be called from
// any goroutine, but for those that say otherwise.
type Line struct {
	got   func([]byte)
	ended func(error)
	out   *datagrams.Out

	loop *Loop
	gc   gnet.Conn // nil before the loop has it
	done bool      // the loop has it no more; the loop's
}

// OpenLine has the loop read conn, which is the Line's from here on, whatever becomes of it.
// got is what Line.Got calls; ended is told, once, on the loop, why nothing more is read: nil
// is Line.Close, or the end of the loops. It waits for the loop, so no loop may call it.
func (l *Loop) OpenLine(conn *net.UDPConn, got func([]byte), ended func(error)) (*Line, error) {
	out, err := datagrams.NewOut(conn)
	_ = conn.Close() // the descriptors below are others
	if err != nil {
		return nil, err
	}
	n := &Line{loop: l, got: got, ended: ended, out: out}
	if err := l.enrollLine(n); err != nil {
		out.Close()
		return nil, err
	}
	return n, nil
}

// enrollLine gives the loop the socket, and waits until it has it.
func (l *Loop) enrollLine(n *Line) error {
	nc, err := standin.For(n.out.Fd())
	if err != nil {
		return err
	}
	if err = l.enrolled(n, nc); n.gc == nil {
		return cmp.Or(err, errNoLoop)
	}
	return nil
}

// opened is gnet's word that a loop watches the line.
func (n *Line) opened(gc gnet.Conn) gnet.Action {
	n.gc = gc
	return gnet.None
}

// Got hands on what LoopHandler.Said was given. Loop only.
func (n *Line) Got(in []byte) { n.got(in) }

// Send sends a datagram. It does not wait: what the kernel has no room for is an error.
func (n *Line) Send(b []byte) error { return n.out.Send(b) }

// Close ends the line, soon: what comes until then is still handed on.
func (n *Line) Close() {
	n.out.Close()
	n.loop.Post(func() {
		if !n.done {
			_ = n.gc.EventLoop().Close(n.gc)
		}
	})
}

// over comes before gnet closes its descriptor, whoever asked for that.
func (n *Line) over(err error) {
	n.done = true
	err = n.out.Cause(err)
	n.out.Close()
	n.ended(err)
}
