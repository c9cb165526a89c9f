package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

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

// maxAddrs is how many addresses of one host are tried.
const maxAddrs = 8

// NewResolver makes a Resolver on the system's (nil: net.DefaultResolver). It
// asks for SRV records (_sips._tcp for TLS, _sip._tcp, _sip._udp) where the
// destination names no port, then for AAAA and A. A resolver that calls the C
// library's takes a thread for each question: PreferGo is for servers.
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
