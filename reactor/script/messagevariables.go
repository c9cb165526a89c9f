package script

import (
	"net/netip"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// messageVariables are those of the message as a whole and of the way it came.
func messageVariables() map[string]*Variable {
	return map[string]*Variable{
		"rm": {Get: Simple(func(m *Machine) Value { return optional(m.MethodName()) })},
		"rs": {Get: Simple(func(m *Machine) Value {
			if m.msg.StatusCode() == 0 {
				return null
			}
			return Int(int64(m.msg.StatusCode()))
		})},
		"rr": {Get: Simple(func(m *Machine) Value {
			if m.msg.StatusCode() == 0 {
				return null
			}
			return Text(m.msg.ReasonPhrase())
		})},
		"rv": {Get: Simple(func(m *Machine) Value { return optional(m.msg.Version()) })},
		"mb": {Get: Simple(func(m *Machine) Value { return optional(m.msg.Raw()) })},
		"ml": {Get: Simple(func(m *Machine) Value {
			if len(m.msg.Raw()) == 0 {
				return null
			}
			return Int(int64(len(m.msg.Raw())))
		})},
		"si":    {Get: Simple(func(m *Machine) Value { return m.address(m.c.Src.Remote.Addr()) })},
		"sp":    {Get: Simple(func(m *Machine) Value { return portOf(m.c.Src.Remote) })},
		"Ri":    {Get: Simple(func(m *Machine) Value { return m.address(m.c.Src.Local.Addr()) })},
		"Rp":    {Get: Simple(func(m *Machine) Value { return portOf(m.c.Src.Local) })},
		"proto": {Get: Simple(func(m *Machine) Value { return protoValue(m.c.Src.Proto) })},
		"af":    {Get: Simple(func(m *Machine) Value { return family(m.c.Src.Local.Addr()) })},
		"msg.is_request": {Get: Simple(func(m *Machine) Value {
			if m.alone() {
				return null
			}
			return Int(int64(truth(m.msg.IsRequest())))
		})},
		"msg.type": {Get: Simple(func(m *Machine) Value {
			switch {
			case m.alone():
				return null
			case m.msg.IsRequest():
				return Text(requestText)
			default:
				return Text(replyText)
			}
		})},
		"fs": {Get: func(u *Use) Getter { return u.k.forcedSocket() }, Set: socketSetter},
		"socket_in": {Inner: OptionalInner, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			return k.socketItem(v, (*Machine).socketIn)
		}},
		"socket_out": {Inner: OptionalInner, Get: func(u *Use) Getter {
			k, v := u.k, u.v
			return k.socketItem(v, func(m *Machine) (*reactor.Socket, netip.AddrPort, reactor.Proto) {
				s := m.c.SendSocket()
				if s == nil {
					return nil, netip.AddrPort{}, 0
				}
				return s, s.Addr, s.Proto
			})
		}, Set: socketSetter},
	}
}

// MethodName returns the method of a request, or the one that a response answers.
func (m *Machine) MethodName() []byte {
	if m.msg.IsRequest() {
		return m.msg.MethodName()
	}
	_, name, err := m.msg.CSeq()
	if err != nil {
		return nil
	}
	return name
}

// Method returns the method of the message, for a response that of its CSeq.
func (m *Machine) Method() sipframe.Method {
	if m.msg.IsRequest() {
		return m.msg.Method()
	}
	return sipframe.MethodOf(m.MethodName())
}

// address writes an address into the arena, IPv6 without brackets.
func (m *Machine) address(a netip.Addr) Value {
	if !a.IsValid() {
		return null
	}
	from := len(m.arena)
	m.arena = a.Unmap().AppendTo(m.arena)
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

func portOf(a netip.AddrPort) Value {
	if !a.IsValid() {
		return null
	}
	return Int(int64(a.Port()))
}

var (
	protoTexts = [reactor.Protos][]byte{reactor.UDP: []byte("udp"), reactor.TCP: []byte("tcp"), reactor.TLS: []byte("tls"), reactor.WS: []byte("ws"), reactor.WSS: []byte("wss")}
	inetText   = []byte("INET")
	inet6Text  = []byte("INET6")

	requestText = []byte("request")
	replyText   = []byte("reply")
)

func protoValue(p reactor.Proto) Value { return optional(protoTexts[p]) }

func family(a netip.Addr) Value {
	switch {
	case !a.IsValid():
		return null
	case a.Unmap().Is4():
		return Text(inetText)
	default:
		return Text(inet6Text)
	}
}

func (m *Machine) socketIn() (*reactor.Socket, netip.AddrPort, reactor.Proto) {
	return m.c.Src.Socket, m.c.Src.Local, m.c.Src.Proto
}

// socketFields are what $socket_in(field) takes.
var socketFields = []string{"ip", "port", "proto", "advertised_ip", "advertised_port", "tag", "anycast", "af"}

// socketItem is $socket_in or $socket_out: proto:ip:port, or one field of it.
func (k *compiler) socketItem(v *varExpr, of func(m *Machine) (*reactor.Socket, netip.AddrPort, reactor.Proto)) Getter {
	field := ""
	if v.Arg != nil {
		field = v.Arg.Text
	}
	var pick func(m *Machine, s *reactor.Socket, a netip.AddrPort, p reactor.Proto) Value
	switch field {
	case "":
		pick = func(m *Machine, _ *reactor.Socket, a netip.AddrPort, p reactor.Proto) Value {
			return m.socketText(a, p)
		}
	case "ip":
		pick = func(m *Machine, _ *reactor.Socket, a netip.AddrPort, _ reactor.Proto) Value {
			return m.address(a.Addr())
		}
	case "port":
		pick = func(_ *Machine, _ *reactor.Socket, a netip.AddrPort, _ reactor.Proto) Value {
			return Int(int64(a.Port()))
		}
	case "proto":
		pick = func(_ *Machine, _ *reactor.Socket, _ netip.AddrPort, p reactor.Proto) Value { return protoValue(p) }
	case "af":
		pick = func(_ *Machine, _ *reactor.Socket, a netip.AddrPort, _ reactor.Proto) Value { return family(a.Addr()) }
	case "anycast":
		pick = func(*Machine, *reactor.Socket, netip.AddrPort, reactor.Proto) Value { return Int(0) }
	case "advertised_ip":
		pick = func(m *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil {
				return null
			}
			return optional(m.KeepString(s.Advertised))
		}
	case "advertised_port":
		pick = func(_ *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil || s.AdvertisedPort == 0 {
				return null
			}
			return Int(int64(s.AdvertisedPort))
		}
	case "tag":
		pick = func(m *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil {
				return null
			}
			return optional(m.KeepString(s.Tag))
		}
	default:
		k.rep.errorf(v.Arg.At, "$%s has no field %s%s", v.Name, clip(field), choices(field, socketFields))
		return nil
	}
	return func(m *Machine, _ int) Value {
		s, a, p := of(m)
		if !a.IsValid() {
			return null
		}
		return pick(m, s, a, p)
	}
}

func (m *Machine) socketText(a netip.AddrPort, p reactor.Proto) Value {
	from := len(m.arena)
	m.arena = append(append(m.arena, protoTexts[p]...), ':')
	if a.Addr().Unmap().Is4() {
		m.arena = a.Addr().Unmap().AppendTo(m.arena)
	} else {
		m.arena = append(a.Addr().AppendTo(append(m.arena, '[')), ']')
	}
	m.arena = strconv.AppendUint(append(m.arena, ':'), uint64(a.Port()), 10)
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}

// socketSetter is $socket_out = "proto:ip:port", or the tag of a socket.
func socketSetter(u *Use) Setter {
	k, v := u.k, u.v
	if v.Arg != nil {
		k.rep.errorf(v.Arg.At, "only $socket_out as a whole can be assigned to")
		return nil
	}
	at := k.site(v.At, "assignment to $socket_out")
	return func(m *Machine, x Value) int {
		if x.kind == nullValue {
			m.c.ForceSocket(nil)
			return 1
		}
		s := m.socketNamed(m.Text(x))
		if s == nil {
			return m.Fail(at, errNoSocket.Error())
		}
		m.c.ForceSocket(s)
		return 1
	}
}
