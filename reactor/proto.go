package reactor

import "fmt"

// Proto is a transport protocol of SIP as the engine carries it.
type Proto uint8

// The transports. The zero value is none of them.
const (
	UDP Proto = iota + 1
	TCP
	TLS
)

// String returns the name as an opensips.cfg and a SIP URI write it: udp, tcp, tls.
func (p Proto) String() string {
	switch p {
	case UDP:
		return "udp"
	case TCP:
		return "tcp"
	case TLS:
		return "tls"
	default:
		return fmt.Sprintf("proto(%d)", uint8(p))
	}
}

// ViaName returns the transport as a Via header names it (RFC 3261 25.1), or ""
// for a value that is no transport.
func (p Proto) ViaName() string {
	switch p {
	case UDP:
		return "UDP"
	case TCP:
		return "TCP"
	case TLS:
		return "TLS"
	default:
		return ""
	}
}

// DefaultPort is the port of a SIP element whose address names none:
// 5061 for TLS, 5060 for the others (RFC 3261 18.1.1, 19.1.2).
func (p Proto) DefaultPort() uint16 {
	if p == TLS {
		return 5061
	}
	return 5060
}

// ParseProto reads a transport name in any case. The second result tells
// whether it is one.
func ParseProto(name string) (Proto, bool) {
	if len(name) != 3 {
		return 0, false
	}
	lower := [3]byte{name[0] | 0x20, name[1] | 0x20, name[2] | 0x20}
	switch string(lower[:]) {
	case "udp":
		return UDP, true
	case "tcp":
		return TCP, true
	case "tls":
		return TLS, true
	default:
		return 0, false
	}
}

// stream reports whether the transport is a byte stream that wants framing.
func (p Proto) stream() bool { return p == TCP || p == TLS }
