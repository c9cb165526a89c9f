package mi

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// places are the connections of management over HTTP. Those that have not shown the
// token have some of their own, of which a new one takes the oldest of the address that
// has the most: they take none from those who have, nobody who does has to wait for them,
// and an address that opens thousands a second ends its own. Who shares that address, as
// all of a machine do on loopback, may have to try again; the FIFO is their owner's alone.
type places struct {
	mu      sync.Mutex
	known   int      // have shown what is asked for
	strange []*place // have not, oldest first

	mostKnown, mostStrange int
}

// newPlaces shares n places out: half of them are for those who have shown nothing yet,
// so that many have to come at once to end one who is about to.
func newPlaces(n int) *places {
	half := max(1, n/2)
	return &places{mostKnown: max(1, n-half), mostStrange: half}
}

// place is a connection that has one.
type place struct {
	net.Conn
	all   *places
	from  netip.Addr
	known bool // under all.mu
	left  bool // under all.mu
}

// enter gives a new connection a place. Who loses it is returned, nil for nobody, and
// is to be closed.
func (p *places) enter(c net.Conn) (in, out *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.strange) == p.mostStrange {
		out = p.crowding()
		p.leave(out)
	}
	in = &place{Conn: c, all: p, from: addrOf(c)}
	p.strange = append(p.strange, in)
	return in, out
}

// crowding returns the oldest stranger of the address that has the most; of several such
// addresses it is that of the oldest one. The lock is held.
func (p *places) crowding() (out *place) {
	count, most := make(map[netip.Addr]int), 0
	for _, s := range p.strange {
		count[s.from]++
	}
	for _, s := range p.strange {
		if count[s.from] > most {
			out, most = s, count[s.from]
		}
	}
	return out
}

// addrOf returns the peer's address; the zero value where it has none that is known.
func addrOf(c net.Conn) netip.Addr {
	at, _ := netip.ParseAddrPort(c.RemoteAddr().String())
	return at.Addr().Unmap()
}

// prove takes a connection to those who have shown what is asked for. Where they are
// as many as may be, it stays where it is: the next strangers may end it.
func (c *place) prove() {
	p := c.all
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.known || c.left || p.known == p.mostKnown {
		return
	}
	p.leave(c)
	c.known, c.left = true, false
	p.known++
}

// leave frees a connection's place, once. The lock is held.
func (p *places) leave(c *place) {
	switch {
	case c.left:
		return
	case c.known:
		p.known--
	default:
		p.strange = slices.DeleteFunc(p.strange, func(s *place) bool { return s == c })
	}
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

// withPlace is http.Server's ConnContext.
func withPlace(ctx context.Context, c net.Conn) context.Context {
	if s, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = s.NetConn()
	}
	if p, ok := c.(*place); ok {
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
