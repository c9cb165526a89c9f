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
		"rm": {Get: one(func(m *Machine) Value { return optional(m.method()) })},
		"rs": {Get: one(func(m *Machine) Value {
			if m.msg.StatusCode() == 0 {
				return null
			}
			return integer(int64(m.msg.StatusCode()))
		})},
		"rr": {Get: one(func(m *Machine) Value {
			if m.msg.StatusCode() == 0 {
				return null
			}
			return bytesValue(m.msg.ReasonPhrase())
		})},
		"rv": {Get: one(func(m *Machine) Value { return optional(m.msg.Version()) })},
		"mb": {Get: one(func(m *Machine) Value { return optional(m.msg.Raw()) })},
		"ml": {Get: one(func(m *Machine) Value {
			if len(m.msg.Raw()) == 0 {
				return null
			}
			return integer(int64(len(m.msg.Raw())))
		})},
		"si":    {Get: one(func(m *Machine) Value { return m.address(m.c.Src.Remote.Addr()) })},
		"sp":    {Get: one(func(m *Machine) Value { return portOf(m.c.Src.Remote) })},
		"Ri":    {Get: one(func(m *Machine) Value { return m.address(m.c.Src.Local.Addr()) })},
		"Rp":    {Get: one(func(m *Machine) Value { return portOf(m.c.Src.Local) })},
		"proto": {Get: one(func(m *Machine) Value { return protoValue(m.c.Src.Proto) })},
		"af":    {Get: one(func(m *Machine) Value { return family(m.c.Src.Local.Addr()) })},
		"msg.is_request": {Get: one(func(m *Machine) Value {
			if m.alone() {
				return null
			}
			return integer(int64(truth(m.msg.IsRequest())))
		})},
		"msg.type": {Get: one(func(m *Machine) Value {
			switch {
			case m.alone():
				return null
			case m.msg.IsRequest():
				return bytesValue(requestText)
			default:
				return bytesValue(replyText)
			}
		})},
		"fs":        {Get: func(k *compiler, _ *Var) Getter { return k.forcedSocket() }, Set: socketSetter},
		"rr_params": {module: "rr", Get: one(func(m *Machine) Value { return optional(m.c.RouteParams()) })},
		"socket_in": {Inner: OptionalInner, Get: func(k *compiler, v *Var) Getter {
			return k.socketItem(v, (*Machine).socketIn)
		}},
		"socket_out": {Inner: OptionalInner, Get: func(k *compiler, v *Var) Getter {
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

// method gives the method of a request, or the one that a response answers.
func (m *Machine) method() []byte {
	if m.msg.IsRequest() {
		return m.msg.MethodName()
	}
	_, name, err := m.msg.CSeq()
	if err != nil {
		return nil
	}
	return name
}

// methodOf is method as a number.
func (m *Machine) methodOf() sipframe.Method {
	if m.msg.IsRequest() {
		return m.msg.Method()
	}
	return sipframe.MethodOf(m.method())
}

// address writes an address into the arena, IPv6 without brackets.
func (m *Machine) address(a netip.Addr) Value {
	if !a.IsValid() {
		return null
	}
	from := len(m.arena)
	m.arena = a.Unmap().AppendTo(m.arena)
	return bytesValue(m.arena[from:len(m.arena):len(m.arena)])
}

func portOf(a netip.AddrPort) Value {
	if !a.IsValid() {
		return null
	}
	return integer(int64(a.Port()))
}

var (
	protoTexts = map[reactor.Proto][]byte{reactor.UDP: []byte("udp"), reactor.TCP: []byte("tcp"), reactor.TLS: []byte("tls")}
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
		return bytesValue(inetText)
	default:
		return bytesValue(inet6Text)
	}
}

func (m *Machine) socketIn() (*reactor.Socket, netip.AddrPort, reactor.Proto) {
	return m.c.Src.Socket, m.c.Src.Local, m.c.Src.Proto
}

// socketFields are what $socket_in(field) takes.
var socketFields = []string{"ip", "port", "proto", "advertised_ip", "advertised_port", "tag", "anycast", "af"}

// socketItem is $socket_in or $socket_out: proto:ip:port, or one field of it.
func (k *compiler) socketItem(v *Var, of func(m *Machine) (*reactor.Socket, netip.AddrPort, reactor.Proto)) Getter {
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
			return integer(int64(a.Port()))
		}
	case "proto":
		pick = func(_ *Machine, _ *reactor.Socket, _ netip.AddrPort, p reactor.Proto) Value { return protoValue(p) }
	case "af":
		pick = func(_ *Machine, _ *reactor.Socket, a netip.AddrPort, _ reactor.Proto) Value { return family(a.Addr()) }
	case "anycast":
		pick = func(*Machine, *reactor.Socket, netip.AddrPort, reactor.Proto) Value { return integer(0) }
	case "advertised_ip":
		pick = func(m *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil {
				return null
			}
			return optional(m.keepString(s.Advertised))
		}
	case "advertised_port":
		pick = func(_ *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil || s.AdvertisedPort == 0 {
				return null
			}
			return integer(int64(s.AdvertisedPort))
		}
	case "tag":
		pick = func(m *Machine, s *reactor.Socket, _ netip.AddrPort, _ reactor.Proto) Value {
			if s == nil {
				return null
			}
			return optional(m.keepString(s.Tag))
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
	return bytesValue(m.arena[from:len(m.arena):len(m.arena)])
}

// socketSetter is $socket_out = "proto:ip:port", or the tag of a socket.
func socketSetter(k *compiler, v *Var) Setter {
	if v.Arg != nil {
		k.rep.errorf(v.Arg.At, "only $socket_out as a whole can be assigned to")
		return nil
	}
	at := k.site(v.At, "assignment to $socket_out")
	return func(m *Machine, x Value, _ kind) int {
		if x.kind == nullValue {
			m.c.SetSendSocket(nil)
			return 1
		}
		s := m.socketNamed(m.text(x))
		if s == nil {
			return m.fail(at, errNoSocket.Error())
		}
		m.c.SetSendSocket(s)
		return 1
	}
}
