package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
)

// listeners finds the addresses of the configured sockets, and the names by which they are us. A socket that names an
// interface or a host with several addresses becomes several.
func listeners(ctx context.Context, cfg *script.Config) (all []reactor.SocketConfig, names []string, err error) {
	var wrong []error
	for _, d := range cfg.Sockets {
		addrs, named, err := resolveListen(ctx, d.Host)
		if err != nil {
			wrong = append(wrong, script.ErrorAt(d.Pos, fmt.Errorf("socket %v:%s: %w", d.Proto, d.Host, err)))
			continue
		}
		if named {
			names = append(names, fmt.Sprintf("%v:%s:%d", d.Proto, d.Host, d.Port))
		}
		host := d.Host
		if _, err := netip.ParseAddr(host); err == nil || host == "*" {
			host = ""
		}
		for _, a := range addrs {
			all = append(all, reactor.SocketConfig{
				Proto: d.Proto, Addr: netip.AddrPortFrom(a, d.Port),
				Advertised: d.AdvertisedHost, AdvertisedPort: d.AdvertisedPort, Tag: d.Tag, Host: host,
			})
			if cfg.AutoAliases {
				for _, name := range reverse(ctx, a) {
					names = append(names, fmt.Sprintf("%v:%s:%d", d.Proto, name, d.Port))
				}
			}
		}
	}
	return all, names, errors.Join(wrong...)
}

// sockets names what the engine listens on.
func (n *node) sockets() []string {
	var all []string
	for _, s := range n.engine.Sockets() {
		all = append(all, fmt.Sprintf("%v:%v", s.Proto, s.Addr))
	}
	return all
}

// status is what a service manager shows of us.
func (n *node) status() string { return "listening on " + strings.Join(n.sockets(), " ") }
