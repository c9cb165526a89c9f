package script

import (
	"bytes"
	"net/netip"

	"sipreactor/reactor"
)

// connFunctions act on connections.
func connFunctions() map[string]*Function {
	return map[string]*Function{
		"force_send_socket": {Usage: `force_send_socket("[proto:]address[:port]" or "tag")`, Args: []ArgKind{TextArg}, Min: 1, Routes: Messages, Build: func(a *Args) Action {
			if text, fixed := a.Fixed(0); fixed {
				a.k.nameSocket(a.Pos(0), text)
			}
			return forceSocket(a)
		}},
		"force_tcp_alias": {Usage: "force_tcp_alias([port])", Args: []ArgKind{IntArg}, Routes: Requests, Build: func(a *Args) Action {
			port := a.list[0]
			return func(m *Machine) int {
				n, ok := int64(0), true
				if port.given {
					n, ok = port.num(m)
				}
				if !ok || n < 0 || n > 65535 {
					return m.Fail(a.at, "the value is no port")
				}
				if err := m.c.ForceTCPAlias(uint16(n)); err != nil {
					a.at.say(m, LevelInfo, "script: force_tcp_alias() failed", "error", err)
					return -1
				}
				return 1
			}
		}},
		"tcp_close_conn": {Usage: `tcp_close_conn(["[proto:]ip:port" or id])`, Args: []ArgKind{TextArg}, Routes: Messages, Build: func(a *Args) Action {
			which := a.list[0]
			return func(m *Machine) int {
				if m.c.W == nil {
					return -1
				}
				if !which.given {
					return Yes(m.c.W.Engine().Close(m.c.Src.Conn))
				}
				b, ok := which.text(m)
				return Yes(ok && m.closeConns(b))
			}
		}},
	}
}

// forceSocket is force_send_socket().
var forceSocket = TextAction(func(m *Machine, b []byte) error {
	s := m.socketNamed(b)
	if s == nil {
		return errNoSocket
	}
	m.c.ForceSocket(s)
	return nil
})

// closeConns closes the connection with an id, or those to an address.
func (m *Machine) closeConns(b []byte) bool {
	e := m.c.W.Engine()
	if id, ok := number64(b); ok {
		return e.Close(reactor.Handle(id))
	}
	proto, addr, ok := connAddr(b)
	if !ok {
		return false
	}
	var found []reactor.Handle
	e.Conns(func(c *reactor.ConnInfo) bool {
		if c.Remote == addr && (proto == 0 || c.Proto == proto) {
			found = append(found, c.Conn)
		}
		return true
	})
	closed := false
	for _, h := range found {
		closed = e.Close(h) || closed
	}
	return closed
}

// connAddr reads [proto:]ip:port.
func connAddr(b []byte) (reactor.Proto, netip.AddrPort, bool) {
	var proto reactor.Proto
	if name, rest, ok := bytes.Cut(b, []byte{':'}); ok {
		if p, known := reactor.ParseProto(string(name)); known {
			proto, b = p, rest
		}
	}
	addr, err := netip.ParseAddrPort(string(b))
	return proto, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), err == nil
}
