package hep

import (
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor"
)

// identity is what all packets of a tracer have in common.
type identity struct {
	style     Style
	captureID uint32
	authKey   []byte
}

// eventParcel is an event on its way to a collector. It is encoded by the
// Sender: names of certificates are no work for a loop.
type eventParcel struct {
	Event
	as *identity
}

// size counts what the parcel has to itself: certificates are shared.
func (p *eventParcel) size() int { return 512 + len(p.Secrets) }

func (p *eventParcel) appendTo(dst []byte) []byte {
	var id [20]byte
	head := Packet{
		Source: p.Source.Remote, Target: localOf(&p.Source),
		Protocol: protocolOf(p.Source.Proto), Time: p.Time, Type: PayloadNet,
		CaptureID: p.as.captureID, Correlation: correlation(id[:0], p.Source.Conn), AuthKey: p.as.authKey,
	}
	start := len(dst)
	dst, mark := openChunk(head.appendHead(dst), chunkPayload)
	dst = closeChunk(p.appendPayload(dst, &p.as.style), mark, head.room(start, mark))
	return head.appendTail(dst, start)
}

// sipParcel is a SIP message on its way to a collector, or a line that was logged over
// one.
type sipParcel struct {
	kind     byte // PayloadSIP or PayloadLog
	from, to netip.AddrPort
	proto    reactor.Proto
	conn     reactor.Handle
	time     time.Time
	data     []byte
	as       *identity
	// correlation takes the place of the connection's id, if it is not empty.
	correlation []byte
}

func (p *sipParcel) size() int { return 256 + len(p.data) + len(p.correlation) }

func (p *sipParcel) appendTo(dst []byte) []byte {
	var id [20]byte
	packet := Packet{
		Source: p.from, Target: p.to, Protocol: protocolOf(p.proto), Time: p.time, Type: p.kind,
		CaptureID: p.as.captureID, Payload: p.data, Correlation: p.correlation, AuthKey: p.as.authKey,
	}
	if len(packet.Correlation) == 0 {
		packet.Correlation = correlation(id[:0], p.conn)
	}
	return packet.AppendTo(dst)
}

// correlation writes a connection's id; that of none is left out.
func correlation(dst []byte, h reactor.Handle) []byte {
	if h == 0 {
		return nil
	}
	return strconv.AppendUint(dst, uint64(h), 10)
}

func protocolOf(p reactor.Proto) byte {
	switch p {
	case reactor.TLS, reactor.WSS:
		return ProtocolTLS
	case reactor.TCP, reactor.WS:
		return ProtocolTCP
	case reactor.UDP:
		return ProtocolUDP
	default:
		return 0
	}
}

// localOf is our end of a connection. A connect that failed has none: then it
// is the address that it was to come from, as far as that is known.
func localOf(src *reactor.Source) netip.AddrPort {
	if src.Local.IsValid() || src.Socket == nil {
		return src.Local
	}
	if src.Outbound {
		return netip.AddrPortFrom(src.Socket.Addr.Addr(), 0)
	}
	return src.Socket.Addr
}
