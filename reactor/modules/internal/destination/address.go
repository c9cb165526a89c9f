package destination

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Address is where a destination's URI points to.
type Address struct {
	URI   string
	Proto reactor.Proto // 0: the URI does not say
	Host  string        // lower case, IPv6 without brackets
	Port  uint16        // 0: the URI does not say
	// Addrs are the host's addresses when the table was loaded.
	Addrs []netip.AddrPort
}

// Lookup gives the addresses of a host name for a transport and a port, 0 and 0
// if they are not said. It may block.
type Lookup func(ctx context.Context, proto reactor.Proto, host string, port uint16) ([]netip.AddrPort, error)

var errNotSIP = errors.New("is neither a SIP nor a SIPS URI")

// ParseAddress reads the URI of a destination: a SIP or SIPS URI, or without a
// scheme what stands behind "sip:".
func ParseAddress(uri string) (Address, error) {
	uri = strings.TrimSpace(uri)
	var u sipframe.URI
	err := sipframe.ParseURI([]byte(uri), &u)
	if (err != nil || u.Scheme == sipframe.OtherScheme) && !strings.HasPrefix(strings.ToLower(uri), "sip") {
		uri = "sip:" + uri
		err = sipframe.ParseURI([]byte(uri), &u)
	}
	if err != nil {
		return Address{}, fmt.Errorf("%q: %w", uri, err)
	}
	b := []byte(uri)
	a := Address{URI: uri, Port: uint16(u.Port)}
	switch u.Scheme {
	case sipframe.SchemeSIP:
	case sipframe.SchemeSIPS:
		a.Proto = reactor.TLS
	default:
		return Address{}, fmt.Errorf("%q %w", uri, errNotSIP)
	}
	host := strings.ToLower(string(u.Host.In(b)))
	a.Host = strings.Trim(host, "[]")
	params := sipframe.Params(u.Params.In(b))
	for p, ok := params.Next(); ok; p, ok = params.Next() {
		switch {
		case sipframe.EqualFold(p.Name, "transport"):
			proto, ok := reactor.ParseProto(string(p.Value))
			if !ok {
				return Address{}, fmt.Errorf("%q: transport %s is not spoken", uri, p.Value)
			}
			if a.Proto = proto; u.Scheme == sipframe.SchemeSIPS {
				a.Proto = proto.Secured()
			}
		case sipframe.EqualFold(p.Name, "maddr") && len(p.Value) > 0:
			a.Host = strings.Trim(strings.ToLower(string(p.Value)), "[]")
		}
	}
	if ip, err := netip.ParseAddr(a.Host); err == nil {
		a.Addrs = []netip.AddrPort{netip.AddrPortFrom(ip.Unmap(), a.EndPort())}
	}
	return a, nil
}

// Resolve looks the host up, unless it is an address or has been looked up.
func (a *Address) Resolve(ctx context.Context, lookup Lookup) error {
	if len(a.Addrs) > 0 {
		return nil
	}
	addrs, err := lookup(ctx, a.Proto, a.Host, a.Port)
	if err == nil && len(addrs) == 0 {
		err = errNoAddress
	}
	if err != nil {
		return fmt.Errorf("%s: %w", a.Host, err)
	}
	for _, at := range addrs {
		a.Addrs = append(a.Addrs, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
	}
	return nil
}

// EndPort gives the port that calls are sent to: the URI's, or the default one of
// its transport.
func (a *Address) EndPort() uint16 {
	switch {
	case a.Port != 0:
		return a.Port
	case a.Proto != 0:
		return a.Proto.DefaultPort()
	default:
		return reactor.UDP.DefaultPort()
	}
}

// Is reports whether the destination is at an address. Port 0 is any.
func (a *Address) Is(ip netip.Addr, port uint16) bool {
	for _, at := range a.Addrs {
		if at.Addr() == ip && (port == 0 || at.Port() == port) {
			return true
		}
	}
	return false
}
