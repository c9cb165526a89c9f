package mi

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// places are the connections of management over HTTP. Those that have not shown the
// token have some of their own, of which a new one takes the oldest of the address that
// has the most: they take none from those who have, nobody who does has to wait for them,
// and an address that opens thousands a second ends its own. Who shares that address, as
// all of a machine do on loopback, loses none either: a connection comes with its request
// (deferred), which is looked at before it is ended. That is not seen through TLS, where a
// client may have to try again.
//
// Where those who have shown the token are as many as may be, the one that has asked
// nothing for the longest time makes room: HTTP's clients open another.
type places struct {
	mu      sync.Mutex
	known   []*place // have shown what is asked for, the longest idle first
	strange []*place // have not, oldest first

	mostKnown, mostStrange int

	shows func(*http.Request) bool // whether a request shows it; nil: is never asked
	look  []byte                   // what is looked at
}

// deferred has the kernel keep a connection until its peer has said something, for a second
// or more: who says nothing has no place meanwhile.
func deferred(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1) // without it silence has a place
	})
}

// newPlaces shares n places out: half of them are for those who have shown nothing yet,
// so that many have to come at once to end one who is about to.
func newPlaces(n int, shows func(*http.Request) bool) *places {
	half := max(1, n/2)
	return &places{mostKnown: max(1, n-half), mostStrange: half, shows: shows}
}

// place is a connection that has one.
type place struct {
	net.Conn
	all  *places
	from netip.Addr

	// Under all.mu.
	known, left bool
	shown       bool // has shown what is asked for, when all who are known were as many as may be, and busy
	busy        bool // a request is being answered

	read bool // something was; the server's
}

// Read implements net.Conn. What comes first is looked at before it is taken out of the
// kernel: who is about to be answered is known by then, to whom ends others, too.
func (c *place) Read(b []byte) (int, error) {
	if !c.read {
		c.read = true
		if n := peek(c.Conn, b, true); n > 0 && c.all.showsIn(b[:n]) {
			c.prove()
		}
	}
	return c.Conn.Read(b)
}

// peek looks at what can be read, and waits for that if it is to; 0: it is nothing, or not
// to be seen.
func peek(c net.Conn, b []byte, waits bool) (n int) {
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0
	}
	look := func(fd uintptr) bool {
		n, _, err = unix.Recvfrom(int(fd), b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err != unix.EAGAIN //nolint:errorlint // a system call's
	}
	if waits {
		_ = raw.Read(look) // a deadline that is over, the read that follows tells
	} else {
		_ = raw.Control(func(fd uintptr) { look(fd) }) // Read would wait for who reads
	}
	return max(n, 0)
}

// enter gives a new connection a place; nil where all are taken by those who are being answered. Who loses one is
// returned, and is to be closed.
func (p *places) enter(c net.Conn) (in *place, out []*place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.strange) == p.mostStrange {
		lost := p.toEvict()
		if lost == nil {
			return nil, out
		}
		if p.vouched(lost) {
			if more, ok := p.proved(lost); ok || lost.shown {
				out = append(out, more...)
				continue
			}
		}
		p.leave(lost)
		out = append(out, lost)
	}
	in = &place{Conn: c, all: p, from: addrOf(c)}
	p.strange = append(p.strange, in)
	return in, out
}

// toEvict returns the oldest stranger of the address that has the most; of several such
// addresses it is that of the oldest one. nil: all of them have shown what is asked for, and are being answered. The lock
// is held.
func (p *places) toEvict() (out *place) {
	count, most := make(map[netip.Addr]int), 0
	for _, s := range p.strange {
		count[s.from]++
	}
	for _, s := range p.strange {
		if count[s.from] > most && !(s.shown && s.busy) {
			out, most = s, count[s.from]
		}
	}
	return out
}

// vouched reports whether the request that waits to be read on a connection shows what is
// asked for. The lock is held.
func (p *places) vouched(c *place) bool {
	if p.look == nil {
		p.look = make([]byte, maxHeader)
	}
	n := peek(c.Conn, p.look, false)
	return n > 0 && p.showsIn(p.look[:n])
}

// showsIn reports whether the header section of a request is there whole, and shows it.
func (p *places) showsIn(text []byte) bool {
	if p.shows == nil {
		return false
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	return err == nil && p.shows(r)
}

// addrOf returns the peer's address; the zero value where it has none that is known.
func addrOf(c net.Conn) netip.Addr {
	at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return at.Addr().Unmap()
}

// prove takes a connection to those who have shown what is asked for. Where they are as
// many as may be, and all of them busy, it stays where it is: strangers may end it once it is answered.
func (c *place) prove() {
	p := c.all
	p.mu.Lock()
	out, _ := p.proved(c)
	p.mu.Unlock()
	for _, o := range out {
		_ = o.Close() // who is idle has nothing to lose
	}
}

// proved is prove with the lock held: it returns who has to be closed, and whether the
// connection is known now.
func (p *places) proved(c *place) (out []*place, ok bool) {
	if c.left {
		return nil, false
	}
	if c.known {
		return nil, true
	}
	if len(p.known) == p.mostKnown {
		i := slices.IndexFunc(p.known, func(k *place) bool { return !k.busy })
		if i < 0 {
			c.shown, c.busy = true, true
			return nil, false
		}
		out = append(out, p.known[i])
		p.leave(p.known[i])
	}
	p.leave(c)
	c.known, c.left, c.busy = true, false, true
	p.known = append(p.known, c)
	return out, true
}

// turns is http.Server's ConnState: it notes who is being answered.
func turns(c net.Conn, state http.ConnState) {
	at := placeOf(c)
	if at == nil {
		return
	}
	p := at.all
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.busy = state == http.StateActive; at.known && !at.left && !at.busy { // the last to become idle
		p.known = append(slices.DeleteFunc(p.known, func(k *place) bool { return k == at }), at)
	}
}

// leave frees a connection's place, once. The lock is held.
func (p *places) leave(c *place) {
	if c.left {
		return
	}
	from := &p.strange
	if c.known {
		from = &p.known
	}
	*from = slices.DeleteFunc(*from, func(s *place) bool { return s == c })
	c.left = true
}

// Close implements net.Conn.
func (c *place) Close() error {
	err := c.Conn.Close()
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.all.leave(c)
	return err
}

// placeKey is where a request's context has the place of its connection.
type placeKey struct{}

// placeOf returns the place of a connection of the server's; nil for none.
func placeOf(c net.Conn) *place {
	if s, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = s.NetConn()
	}
	p, _ := c.(*place)
	return p
}

// withPlace is http.Server's ConnContext.
func withPlace(ctx context.Context, c net.Conn) context.Context {
	if p := placeOf(c); p != nil {
		return context.WithValue(ctx, placeKey{}, p)
	}
	return ctx
}

// proven notes that a request came with what is asked for.
func proven(r *http.Request) {
	if p, ok := r.Context().Value(placeKey{}).(*place); ok {
		p.prove()
	}
}
