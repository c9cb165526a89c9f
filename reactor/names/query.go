package names

import (
	"errors"

	"sipreactor/reactor"
)

// ErrUnresolved: a host name that leads nowhere.
var ErrUnresolved = errors.New("names: no address")

// Query is a question to a Resolver. Equal ones have the same answer.
type Query struct {
	// Host is a name in lower case, never an address.
	Host string
	// Proto is the transport that the destination says; 0 has NAPTR and SRV records
	// say it (RFC 3263 4.1).
	Proto reactor.Proto
	// Secure keeps a destination without a transport to TLS: it is a SIPS URI.
	Secure bool
	// Port is the port that the destination says; 0 has SRV records say it (RFC 3263
	// 4.2).
	Port uint16
	// Fallback is the transport to use if Proto is 0 and no record says one.
	Fallback reactor.Proto
	// Reach is what we can send to; the zero value is everything.
	Reach Reach
}

// Reach is the transports and address families that we can send by: a set.
type Reach uint16

// ReachOf gives the set of one transport and family.
func ReachOf(p reactor.Proto, v6 bool) Reach {
	bit := Reach(1) << (2 * (uint8(p) - 1))
	if v6 {
		bit <<= 1
	}
	return bit
}

// Has reports whether a transport and family is in the set.
func (r Reach) Has(p reactor.Proto, v6 bool) bool { return r == 0 || r&ReachOf(p, v6) != 0 }

// Speaks reports whether a transport is in the set, whatever the family.
func (r Reach) Speaks(p reactor.Proto) bool { return r.Has(p, false) || r.Has(p, true) }

// service is how a transport is called in NAPTR and SRV records.
type service struct {
	proto reactor.Proto
	naptr string // RFC 3263 4.1, RFC 7118 9
	srv   string // "": there is none, but what a NAPTR record leads to
}

// services are the transports, our favourite first.
var services = [...]service{
	{reactor.UDP, "SIP+D2U", "_sip._udp."},
	{reactor.TCP, "SIP+D2T", "_sip._tcp."},
	{reactor.TLS, "SIPS+D2T", "_sips._tcp."},
	{reactor.WS, "SIP+D2W", ""},
	{reactor.WSS, "SIPS+D2W", ""},
}

// transports gives the services that may be used for a destination.
func (q *Query) transports() (list []service) {
	for _, s := range services {
		switch {
		case q.Proto != 0 && s.proto != q.Proto, q.Secure && !s.proto.Secure(), !q.Reach.Speaks(s.proto):
		default:
			list = append(list, s)
		}
	}
	return list
}
