package main

import (
	"context"
	"fmt"
	"net/netip"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// resolver keeps a resolver to what the dns_ parameters of a configuration say. Any goroutine may use it.
type resolver struct {
	proxy.Resolver
	dns script.DNSConfig
}

// Lookup gives IPv4 addresses; IPv6 ones if there are no others and dns_try_ipv6 allows them. With
// disable_dns_failover it is the first address only.
func (r resolver) Lookup(ctx context.Context, q proxy.Query) ([]netip.AddrPort, error) {
	if r.dns.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.dns.Timeout)
		defer cancel()
	}
	all, err := r.Resolver.Lookup(ctx, q)
	if err != nil {
		return nil, err
	}
	var v4, v6 []netip.AddrPort
	for _, a := range all {
		if a.Addr().Unmap().Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	found := v4
	if len(found) == 0 {
		if !r.dns.TryIPv6 && len(v6) > 0 {
			return nil, fmt.Errorf("%w: %s has IPv6 addresses only, and dns_try_ipv6 is off", proxy.ErrUnresolved, q.Host)
		}
		found = v6
	}
	if r.dns.NoSRV && len(found) > 1 {
		found = found[:1]
	}
	return found, nil
}
