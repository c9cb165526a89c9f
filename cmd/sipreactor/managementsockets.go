package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/script"
)

// checkManagementSockets looks whether management is to listen where the configuration itself listens for SIP.
func checkManagementSockets(cfg *script.Config, sockets []reactor.SocketConfig) error {
	loaded := func(module string) bool { return slices.Contains(cfg.Modules, module) }
	var all []error
	if web := said[httpd.Config](cfg, "httpd"); (loaded("mi_http") || loaded("prometheus")) && !cfg.Broken("httpd") {
		if a, err := httpAddr(web); err == nil {
			all = append(all, placed(web.At, "httpd", taken(a, sockets, func(p reactor.Proto) bool { return p != reactor.UDP })))
		}
	}
	if d := said[mi_datagram.Config](cfg, "mi_datagram"); loaded("mi_datagram") && !cfg.Broken("mi_datagram") {
		name, udp := strings.CutPrefix(d.Socket, "udp:")
		if a, err := netip.ParseAddrPort(name); udp && err == nil {
			all = append(all, placed(d.At, "mi_datagram", taken(a, sockets, func(p reactor.Proto) bool { return p == reactor.UDP })))
		}
	}
	return errors.Join(all...)
}

// taken tells which of the sockets, among those with some protocols, has the address a.
func taken(a netip.AddrPort, sockets []reactor.SocketConfig, some func(reactor.Proto) bool) error {
	ip := a.Addr().Unmap()
	for _, s := range sockets {
		other := s.Addr.Addr().Unmap()
		same := ip == other || ip.Is4() == other.Is4() && (ip.IsUnspecified() || other.IsUnspecified())
		if some(s.Proto) && same && s.Addr.Port() == a.Port() {
			return fmt.Errorf("%v is the address of the socket %v:%v of this configuration", a, s.Proto, s.Addr)
		}
	}
	return nil
}
