// Package transport names the transport protocols of SIP, what is to be known of each, and how
// connections of one behave (StreamConfig). All of it is constant, or does not change once an
// engine has it: any goroutine may call anything.
package transport

import "fmt"

// Proto is a transport protocol of SIP as the engine carries it.
type Proto uint8

// The transports. The zero value is none of them.
const (
	UDP Proto = iota + 1
	TCP
	TLS
	WS  // WebSocket (RFC 7118)
	WSS // WebSocket over TLS
)

// Count makes arrays that a Proto indexes.
const Count = WSS + 1

// Protos is how many values a Proto may have, for arrays that it indexes.
const Protos = int(Count)

// protos holds what is to be known of each transport, by its value.
var protos = [Count]struct {
	name, via string
	port      uint16
}{
	UDP: {"udp", "UDP", 5060},
	TCP: {"tcp", "TCP", 5060},
	TLS: {"tls", "TLS", 5061},
	WS:  {"ws", "WS", 80},
	WSS: {"wss", "WSS", 443},
}

// String returns the name as an opensips.cfg and a SIP URI write it: udp, tcp, tls, ws,
// wss.
func (p Proto) String() string {
	if UDP <= p && p < Count {
		return protos[p].name
	}
	return fmt.Sprintf("proto(%d)", uint8(p))
}

// ViaName returns the transport as a Via header names it (RFC 3261 25.1, RFC 7118
// 8), or "" for a value that is no transport.
func (p Proto) ViaName() string {
	if p < Count {
		return protos[p].via
	}
	return ""
}

// DefaultPort is the port of a SIP element whose address names none: 5061 for TLS, 80
// and 443 for WebSocket, 5060 for the others (RFC 3261 18.1.1, 19.1.2, RFC 6455 3).
func (p Proto) DefaultPort() uint16 {
	if UDP <= p && p < Count {
		return protos[p].port
	}
	return 5060
}

// ParseProto reads a transport name in any case. The second result tells
// whether it is one.
func ParseProto[T string | []byte](name T) (Proto, bool) {
	if len(name) < 2 || len(name) > 3 {
		return 0, false
	}
	var lower [3]byte
	for i := range len(name) {
		lower[i] = name[i] | 0x20
	}
	for p := UDP; p < Count; p++ {
		if string(lower[:len(name)]) == protos[p].name {
			return p, true
		}
	}
	return 0, false
}

// Stream reports whether the transport has connections.
func (p Proto) Stream() bool { return p > UDP && p < Count }

// Secure reports whether the transport is spoken over TLS.
func (p Proto) Secure() bool { return p == TLS || p == WSS }

// Secured returns the transport over TLS that takes the place of p in a SIPS URI
// (RFC 3261 26.2.2, RFC 7118 5.5): WSS for WebSocket, TLS for the others.
func (p Proto) Secured() Proto {
	if p.Web() {
		return WSS
	}
	return TLS
}

// Web reports whether the transport is WebSocket: its peers are reached by the
// connections that they have opened.
func (p Proto) Web() bool { return p == WS || p == WSS }

// Shakes reports whether a handshake comes before the first message.
func Shakes(p Proto) bool { return p >= TLS && p < Count }
