package reactor

import "sipreactor/reactor/internal/transport"

// Proto is a transport protocol of SIP as the engine carries it. Its methods:
//
//	String() string       as an opensips.cfg and a SIP URI write it: udp, tcp, tls, ws, wss
//	ViaName() string      as a Via header names it (RFC 3261 25.1, RFC 7118 8); "" for none
//	DefaultPort() uint16  of an address without a port (RFC 3261 18.1.1, RFC 6455 3)
//	Stream() bool         it has connections
//	Secure() bool         it is spoken over TLS
//	Web() bool            it is WebSocket
//	Secured() Proto       what takes its place in a SIPS URI (RFC 3261 26.2.2)
type Proto = transport.Proto

// The transports. The zero value is none of them.
const (
	UDP = transport.UDP
	TCP = transport.TCP
	TLS = transport.TLS
	WS  = transport.WS  // WebSocket (RFC 7118)
	WSS = transport.WSS // WebSocket over TLS
)

// Protos is how many values a Proto may have, for arrays that it indexes.
const Protos = transport.Protos

// ParseProto reads a transport name in any case. The second result tells
// whether it is one.
func ParseProto[T string | []byte](name T) (Proto, bool) { return transport.ParseProto(name) }
