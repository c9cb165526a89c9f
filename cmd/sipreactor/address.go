package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// resolveListen finds what the host of a socket stands for: an address, "*" for all addresses of the machine, the
// name of a network interface (each of its addresses), or a host name (each of its addresses), which named tells.
func resolveListen(ctx context.Context, host string) (addrs []netip.Addr, named bool, err error) {
	if host == "*" {
		return []netip.Addr{netip.IPv4Unspecified()}, false, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, false, nil
	}
	if i, err := net.InterfaceByName(host); err == nil {
		addrs, err = interfaceAddrs(i)
		return addrs, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, false, fmt.Errorf("%q is neither an address nor an interface, and does not resolve: %w", host, err)
	}
	return unique(found), true, nil
}

// reverse gives the names that an address resolves to, if it is told in time.
func reverse(ctx context.Context, a netip.Addr) []string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, a.String())
	if err != nil {
		return nil // no name is no alias
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, ".")
	}
	return names
}

// interfaceAddrs leaves out link-local IPv6, which cannot stand in a SIP URI.
func interfaceAddrs(i *net.Interface) ([]netip.Addr, error) {
	nets, err := i.Addrs()
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", i.Name, err)
	}
	var all []netip.Addr
	for _, n := range nets {
		p, err := netip.ParsePrefix(n.String())
		if err == nil && !(p.Addr().Is6() && p.Addr().IsLinkLocalUnicast()) {
			all = append(all, p.Addr().Unmap())
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("interface %s has no address", i.Name)
	}
	return unique(all), nil
}

func unique(addrs []netip.Addr) []netip.Addr {
	seen := make(map[netip.Addr]bool, len(addrs))
	out := addrs[:0]
	for _, a := range addrs {
		if a = a.Unmap(); !seen[a] {
			seen[a] = true
			out = append(out, a)
		}
	}
	return out
}
