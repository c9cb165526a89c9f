package main

import (
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/script"
)

// othersWrite is the permission bit by which every user of the machine may use a FIFO or a socket.
const othersWrite fs.FileMode = 0o002

// tellExposure warns of ways into management that ask nothing of those who come, or let others listen. What reaches
// further than this machine without a list of addresses is an error where it is opened.
func (n *node) tellExposure(cfg *script.Config) {
	const everybody = "every user of this machine may use it"
	whoever := func(listens netip.Addr) string {
		if listens.IsLoopback() {
			return everybody
		}
		return "whoever has an address of allow may use it"
	}
	warn := func(what, who string, args ...any) { n.log.Warn("management "+what+": "+who, args...) }
	loaded := func(module string) bool { return slices.Contains(cfg.Modules, module) }
	if f := said[mi_fifo.Config](cfg, "mi_fifo"); loaded("mi_fifo") && fs.FileMode(f.Mode)&othersWrite != 0 {
		warn("over the FIFO asks for nothing", everybody, "fifo", f.Name, "parameter", "fifo_mode")
	}
	d := said[mi_datagram.Config](cfg, "mi_datagram")
	if at, udp := strings.CutPrefix(d.Socket, "udp:"); udp {
		a, _ := netip.ParseAddrPort(at) // what is none is an error where it is opened
		who := whoever(a.Addr())
		if !a.Addr().IsLoopback() {
			who += ", and whoever forges one"
		}
		warn("over UDP asks for no token", who, "socket", d.Socket, "parameter", "socket_name")
	} else if d.Socket != "" && fs.FileMode(d.Mode)&othersWrite != 0 {
		warn("over the socket asks for nothing", everybody, "socket", d.Socket, "parameter", "unix_socket_mode")
	}
	if !loaded("mi_http") && !loaded("prometheus") {
		return
	}
	h := said[httpd.Config](cfg, "httpd")
	at, err := netip.ParseAddr(h.IP)
	if err != nil {
		at = netip.IPv6Loopback() // localhost
	}
	if h.Open && h.Password == "" {
		warn("over HTTP asks for no token", whoever(at), "parameter", "token")
	}
	if !at.IsLoopback() && h.CertFile == "" {
		warn("over HTTP is not encrypted", "whoever is on the way reads the token", "address", at.String(), "parameter", "tls_cert_file")
	}
}
