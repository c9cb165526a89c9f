package proxy

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/dchest/siphash"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// listeners is what the proxy knows of its sockets: who it is, and the texts by
// which it names itself in Via and Record-Route. It does not change once made.
type listeners struct {
	list  []listener
	addrs map[netip.Addr][]place
	names map[string][]place // in lower case
	reach names.Reach        // what they can send to
}

// listener is one socket with its texts.
type listener struct {
	socket *reactor.Socket
	id     uint16     // by which branches name it, in any life of any node
	addr   netip.Addr // of the family that it serves; the text's unless advertised
	port   uint16
	fixed  bool   // the host is the same for every connection
	host   []byte // as it stands in a URI, IPv6 in brackets
	via    []byte // "SIP/2.0/TLS host:port;branch="
	sip    []byte // "sip:host:port;transport=tls"
	sips   []byte // "sips:host:port", of wss with ";transport=wss"
}

// place is a port and a transport at which a host is us; 0 is any.
type place struct {
	port  uint16
	proto reactor.Proto
}

// alias is one entry of Config.MyDomains.
type alias struct {
	host string
	place
}

// parseAlias reads [proto:]host[:port].
func parseAlias(s string) (a alias, err error) {
	rest := s
	if word, after, ok := strings.Cut(s, ":"); ok {
		if proto, ok := reactor.ParseProto(word); ok {
			a.proto, rest = proto, after
		}
	}
	host, port, ok := splitHostPort([]byte(rest))
	if !ok || len(host) == 0 {
		return a, fmt.Errorf("proxy: %q is not [proto:]host[:port]", s)
	}
	a.host, a.port = strings.ToLower(string(host)), port
	return a, nil
}

// listeners gives the snapshot; the first worker that asks makes it from its
// engine's sockets.
func (p *Proxy) listeners(w *reactor.Worker) *listeners {
	if l := p.ours.Load(); l != nil {
		return l
	}
	if w == nil || w.Engine() == nil {
		return newListeners(nil, p.aliases)
	}
	l := newListeners(w.Engine().Sockets(), p.aliases)
	p.ours.CompareAndSwap(nil, l)
	return p.ours.Load()
}

func newListeners(sockets []*reactor.Socket, aliases []alias) *listeners {
	l := &listeners{addrs: map[netip.Addr][]place{}, names: map[string][]place{}}
	for _, s := range sockets {
		addr, fixed := s.Addr.Addr().Unmap(), true
		l.add(addr.String(), place{s.Addr.Port(), s.Proto})
		if addr.IsUnspecified() {
			local := localAddrs(addr.Is4())
			for _, a := range local {
				l.add(a.String(), place{s.Addr.Port(), s.Proto})
			}
			addr, fixed = local[0], false
		}
		host, port := addr.String(), s.Addr.Port()
		if s.AdvertisedPort != 0 {
			port = s.AdvertisedPort
		}
		if s.Advertised != "" {
			host, fixed = strings.Trim(s.Advertised, "[]"), true
			l.add(host, place{port, s.Proto})
		}
		li := listener{socket: s, id: socketID(s), addr: addr, port: port, fixed: fixed}
		li.name(host)
		l.list = append(l.list, li)
		l.reach |= names.ReachOf(s.Proto, !addr.Is4())
	}
	for _, a := range aliases {
		l.add(a.host, a.place)
	}
	return l
}

// name writes the listener's texts for a host.
func (li *listener) name(host string) {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	li.host = []byte(host)
	proto := li.socket.Proto
	li.via = fmt.Appendf(nil, "SIP/2.0/%s %s:%d;branch=", proto.ViaName(), host, li.port)
	at := host
	if li.port != 5060 || proto.Web() {
		at += ":" + strconv.Itoa(int(li.port))
	}
	li.sip = []byte("sip:" + at)
	if proto != reactor.UDP {
		li.sip = append(li.sip, ";transport="+proto.String()...)
	}
	li.sips = []byte("sips:" + host)
	if li.port != 5061 || proto != reactor.TLS {
		li.sips = fmt.Appendf(li.sips, ":%d", li.port)
	}
	if proto.Web() {
		li.sips = append(li.sips, ";transport="+proto.String()...)
	}
}

func (l *listeners) add(host string, p place) {
	host = strings.ToLower(strings.Trim(host, "[]"))
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		l.addrs[addr] = append(l.addrs[addr], p)
		return
	}
	l.names[host] = append(l.names[host], p)
}

// mine tells whether host, port (0 = any) and proto (0 = any) are ours.
func (l *listeners) mine(host []byte, port uint16, proto reactor.Proto) bool {
	var places []place
	if addr, ok := parseAddr(host); ok {
		places = l.addrs[addr.Unmap()]
	} else {
		var low [128]byte
		if len(host) > len(low) {
			return false
		}
		n := copy(low[:], host)
		for i, c := range low[:n] {
			if 'A' <= c && c <= 'Z' {
				low[i] = c | 0x20
			}
		}
		if n > 0 && low[n-1] == '.' {
			n--
		}
		places = l.names[string(low[:n])]
	}
	for _, p := range places {
		if (port == 0 || p.port == 0 || p.port == port) && (proto == 0 || p.proto == 0 || p.proto == proto) {
			return true
		}
	}
	return false
}

// of gives the listener of a socket, nil if it is none of ours.
func (l *listeners) of(s *reactor.Socket) *listener {
	for i := range l.list {
		if l.list[i].socket == s {
			return &l.list[i]
		}
	}
	return nil
}

// number gives a socket's place among ours, from 1 on; 0 if it is none.
func (l *listeners) number(s *reactor.Socket) uint16 {
	for i := range l.list {
		if l.list[i].socket == s {
			return uint16(i + 1)
		}
	}
	return 0
}

// numbered gives the socket at a place; nil for 0.
func (l *listeners) numbered(n uint16) *reactor.Socket {
	if n == 0 {
		return nil
	}
	return l.list[n-1].socket
}

// at gives the listener with the id, nil if there is none.
func (l *listeners) at(id uint16) *listener {
	for i := range l.list {
		if id != 0 && l.list[i].id == id {
			return &l.list[i]
		}
	}
	return nil
}

// socketID gives a number for a socket's transport and address, never 0. Should
// two sockets of one configuration have the same, a response without a connection
// leaves by the first of them.
func socketID(s *reactor.Socket) uint16 {
	a := s.Addr.Addr().Unmap().As16()
	b := binary.BigEndian.AppendUint16(append(a[:], byte(s.Proto)), s.Addr.Port())
	return uint16(siphash.Hash(0, 0, b)) | 1
}

// speaks tells whether there is a listener of the transport.
func (l *listeners) speaks(proto reactor.Proto) bool {
	for i := range l.list {
		if l.list[i].socket.Proto == proto {
			return true
		}
	}
	return false
}

// find gives the listener of a host, port and transport; nil if there is none. What
// says ws may be wss.
func (l *listeners) find(host []byte, port uint16, proto reactor.Proto) *listener {
	addr, isAddr := parseAddr(host)
	for i := range l.list {
		li := &l.list[i]
		if li.socket.Proto != proto && !(proto == reactor.WS && li.socket.Proto == reactor.WSS) || li.port != port && li.socket.Addr.Port() != port {
			continue
		}
		if isAddr && (li.addr == addr.Unmap() || li.socket.Addr.Addr().Unmap() == addr.Unmap()) ||
			!isAddr && sipframe.EqualFoldBytes(li.host, host) {
			return li
		}
	}
	return nil
}

// pick gives the listener to send from to an address: the one asked for, else
// the one the message came by, else the first, of those that have the
// transport and the address family. nil if none has.
func (l *listeners) pick(proto reactor.Proto, to netip.Addr, want, in *reactor.Socket) *listener {
	var first, same *listener
	for i := range l.list {
		li := &l.list[i]
		if li.socket.Proto != proto || li.addr.Is4() != to.Unmap().Is4() {
			continue
		}
		switch {
		case li.socket == want:
			return li
		case li.socket == in:
			same = li
		case first == nil:
			first = li
		}
	}
	if same != nil {
		return same
	}
	return first
}

// localAddrs gives this machine's addresses of a family, global ones first, and
// at least the loopback address.
func localAddrs(v4 bool) (list []netip.Addr) {
	loop := netip.IPv6Loopback()
	if v4 {
		loop = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return []netip.Addr{loop}
	}
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		if addr, ok := netip.AddrFromSlice(n.IP); ok {
			addr = addr.Unmap()
			if addr.Is4() == v4 && addr.IsGlobalUnicast() {
				list = append(list, addr)
			}
		}
	}
	return append(list, loop)
}
