package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"sipreactor/reactor"
)

// Query is a question to a Resolver.
type Query struct {
	// Host is a name, never an address.
	Host string
	// Proto is the transport of the next hop.
	Proto reactor.Proto
	// Port is the port that the destination named; 0: none, so that SRV records
	// decide (RFC 3263 4.2).
	Port uint16
	// DefaultPort is what to use if neither Port nor an SRV record says one.
	DefaultPort uint16
}

// Resolver finds addresses of host names. It may block: it is called where a
// worker may wait. Any number of goroutines call it.
type Resolver interface {
	// Lookup gives the addresses in the order in which they are to be tried, or
	// an error if there is none.
	Lookup(ctx context.Context, q Query) ([]netip.AddrPort, error)
}

// ErrUnresolved: a host name without an address.
var ErrUnresolved = errors.New("proxy: no address")

const (
	lookupTimeout = 3 * time.Second
	freshFor      = 30 * time.Second // net.Resolver does not tell the records' own
	failedFor     = 2 * time.Second
	maxHosts      = 4096
	maxAddrs      = 8 // addresses of one host that are tried
)

// NewResolver makes a Resolver on the system's (nil: net.DefaultResolver). It
// asks for SRV records (_sips._tcp for TLS, _sip._tcp, _sip._udp) where the
// destination names no port, then for AAAA and A.
func NewResolver(r *net.Resolver) Resolver {
	if r == nil {
		r = net.DefaultResolver
	}
	return systemResolver{r}
}

type systemResolver struct{ r *net.Resolver }

func (s systemResolver) Lookup(ctx context.Context, q Query) ([]netip.AddrPort, error) {
	if q.Port != 0 {
		return s.hosts(ctx, nil, q.Host, q.Port)
	}
	service, transport := "sip", "tcp"
	switch q.Proto {
	case reactor.TLS:
		service = "sips"
	case reactor.UDP:
		transport = "udp"
	default:
	}
	var list []netip.AddrPort
	// LookupSRV sorts by priority and draws by weight.
	if _, records, err := s.r.LookupSRV(ctx, service, transport, q.Host); err == nil {
		for _, r := range records {
			if r.Target == "." {
				return nil, fmt.Errorf("%s offers no SIP over %v", q.Host, q.Proto) // RFC 2782
			}
			list, _ = s.hosts(ctx, list, r.Target, r.Port)
			if len(list) >= maxAddrs {
				break
			}
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	return s.hosts(ctx, nil, q.Host, q.DefaultPort)
}

func (s systemResolver) hosts(ctx context.Context, list []netip.AddrPort, host string, port uint16) ([]netip.AddrPort, error) {
	addrs, err := s.r.LookupNetIP(ctx, "ip", host)
	for _, a := range addrs {
		list = append(list, netip.AddrPortFrom(a.Unmap(), port))
	}
	return list, err
}

// hostCache keeps the answers of a Resolver for a while, the failed ones for a
// shorter one, and has each name asked for once at a time. Any goroutine.
type hostCache struct {
	resolver Resolver
	now      func() time.Time

	mu    sync.RWMutex
	hosts map[string]*hostEntry
}

// hostEntry is one answer; all but done are written before done is closed.
type hostEntry struct {
	done  chan struct{}
	addrs []netip.AddrPort
	err   error
	until time.Time
}

func newHostCache(r Resolver) *hostCache {
	return &hostCache{resolver: r, now: time.Now, hosts: make(map[string]*hostEntry)}
}

// appendKey writes what tells queries apart.
func appendKey(dst []byte, h *hop) []byte {
	dst = append(dst, byte(h.proto), byte(h.port>>8), byte(h.port))
	for _, c := range h.host {
		dst = append(dst, lower(c))
	}
	return dst
}

// cached answers without blocking; ok is false if the answer has to be asked
// for. The slice is shared: it must not be changed.
func (c *hostCache) cached(key []byte) (addrs []netip.AddrPort, err error, ok bool) {
	c.mu.RLock()
	e := c.hosts[string(key)]
	c.mu.RUnlock()
	if e == nil {
		return nil, nil, false
	}
	select {
	case <-e.done:
		if c.now().Before(e.until) {
			return e.addrs, e.err, true
		}
	default:
	}
	return nil, nil, false
}

// lookup answers, and blocks for that up to lookupTimeout.
func (c *hostCache) lookup(key string, q Query) ([]netip.AddrPort, error) {
	c.mu.Lock()
	e := c.hosts[key]
	if e != nil {
		select {
		case <-e.done:
			if !c.now().Before(e.until) {
				e = nil
			}
		default:
		}
	}
	if e != nil {
		c.mu.Unlock()
		<-e.done // bounded: who asks has a deadline
		return e.addrs, e.err
	}
	if len(c.hosts) >= maxHosts {
		c.evict()
	}
	e = &hostEntry{done: make(chan struct{})}
	c.hosts[key] = e
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
	defer cancel()
	defer close(e.done)
	e.err = ErrUnresolved // stands if the Resolver panics
	addrs, err := c.resolver.Lookup(ctx, q)
	if len(addrs) > maxAddrs {
		addrs = addrs[:maxAddrs]
	}
	switch {
	case len(addrs) > 0:
		e.addrs, e.err, e.until = addrs, nil, c.now().Add(freshFor)
	case err != nil:
		e.err, e.until = fmt.Errorf("%w for %s: %w", ErrUnresolved, q.Host, err), c.now().Add(failedFor)
	default:
		e.err, e.until = fmt.Errorf("%w for %s", ErrUnresolved, q.Host), c.now().Add(failedFor)
	}
	return e.addrs, e.err
}

// evict makes room: what is stale goes, and if that is nothing, everything that
// nobody waits for. The lock is held.
func (c *hostCache) evict() {
	now, before := c.now(), len(c.hosts)
	for round := range 2 {
		for key, e := range c.hosts {
			select {
			case <-e.done:
				if round > 0 || !now.Before(e.until) {
					delete(c.hosts, key)
				}
			default:
			}
		}
		if len(c.hosts) < before {
			return
		}
	}
}
