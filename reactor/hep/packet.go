package hep

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// MaxPacket is the size of the largest packet in bytes: what a UDP datagram
// over IPv4 can carry. A payload that does not fit is cut at its end.
const MaxPacket = 65507

// What a packet carries (chunk 0x0b).
const (
	PayloadSIP byte = 0x01 // one SIP message
	PayloadNet byte = 0x59 // an event of a connection
	PayloadLog byte = 0x64 // a line of a log
)

// Numbers of transports (chunk 0x02). TLS has none of its own in IP; 22 is what
// collectors know it by.
const (
	ProtocolTCP byte = 6
	ProtocolUDP byte = 17
	ProtocolTLS byte = 22
)

// Types of chunks, vendor 0.
const (
	chunkFamily      = 0x0001
	chunkProtocol    = 0x0002
	chunkSource4     = 0x0003
	chunkTarget4     = 0x0004
	chunkSource6     = 0x0005
	chunkTarget6     = 0x0006
	chunkSourcePort  = 0x0007
	chunkTargetPort  = 0x0008
	chunkSeconds     = 0x0009
	chunkMicros      = 0x000a
	chunkPayloadType = 0x000b
	chunkCaptureID   = 0x000c
	chunkAuthKey     = 0x000e
	chunkPayload     = 0x000f
	chunkCorrelation = 0x0011
)

const (
	magic      = "HEP3"
	headerSize = 6 // magic and length of a packet; vendor, type and length of a chunk

	familyIPv4 = 2
	familyIPv6 = 10
)

// Packet is one HEPv3 packet. An address that is not valid is written as the
// unspecified one; an IPv4 address beside an IPv6 address is written as the
// IPv6 address that stands for it (RFC 4291 2.5.5.2).
type Packet struct {
	Source, Target netip.AddrPort
	Protocol       byte      // ProtocolTCP and so on
	Time           time.Time // microseconds are kept
	Type           byte      // PayloadSIP or PayloadNet
	CaptureID      uint32    // the agent's number, hep_capture_id
	Payload        []byte
	Correlation    []byte // what belongs together; empty: no such chunk
	AuthKey        []byte // hep_auth_key; empty: no such chunk
}

// AppendTo appends the packet to dst. It allocates nothing if dst has room.
func (p *Packet) AppendTo(dst []byte) []byte {
	start := len(dst)
	dst = p.appendHead(dst)
	dst, mark := openChunk(dst, chunkPayload)
	dst = closeChunk(append(dst, p.Payload...), mark, p.room(start, mark))
	return p.appendTail(dst, start)
}

// appendHead appends all that comes before the payload.
func (p *Packet) appendHead(dst []byte) []byte {
	dst = append(dst, magic+"\x00\x00"...)
	from, to := sameFamily(p.Source.Addr(), p.Target.Addr())
	family := byte(familyIPv6)
	if from.Is4() {
		family = familyIPv4
	}
	dst = appendByte(dst, chunkFamily, family)
	dst = appendByte(dst, chunkProtocol, p.Protocol)
	dst = appendShort(dst, chunkSourcePort, p.Source.Port())
	dst = appendShort(dst, chunkTargetPort, p.Target.Port())
	dst = appendLong(dst, chunkSeconds, uint32(p.Time.Unix()))
	dst = appendLong(dst, chunkMicros, uint32(p.Time.Nanosecond()/1000))
	dst = appendByte(dst, chunkPayloadType, p.Type)
	dst = appendLong(dst, chunkCaptureID, p.CaptureID)
	if from.Is4() {
		a, b := from.As4(), to.As4()
		return appendBytes(appendBytes(dst, chunkSource4, a[:]), chunkTarget4, b[:])
	}
	a, b := from.As16(), to.As16()
	return appendBytes(appendBytes(dst, chunkSource6, a[:]), chunkTarget6, b[:])
}

// appendTail appends what comes behind the payload and closes the packet that
// begins at start.
func (p *Packet) appendTail(dst []byte, start int) []byte {
	if len(p.Correlation) > 0 {
		dst = appendBytes(dst, chunkCorrelation, p.Correlation)
	}
	if len(p.AuthKey) > 0 {
		dst = appendBytes(dst, chunkAuthKey, p.AuthKey)
	}
	binary.BigEndian.PutUint16(dst[start+len(magic):], uint16(len(dst)-start))
	return dst
}

// room is how long the payload may be whose chunk begins at mark, so that the
// tail fits as well.
func (p *Packet) room(start, mark int) int {
	tail := 0
	for _, b := range [...][]byte{p.Correlation, p.AuthKey} {
		if len(b) > 0 {
			tail += headerSize + len(b)
		}
	}
	return max(0, MaxPacket-(mark-start)-headerSize-tail)
}

// sameFamily writes two addresses in one family.
func sameFamily(a, b netip.Addr) (from, to netip.Addr) {
	a, b = a.Unmap(), b.Unmap()
	switch {
	case !a.IsValid() && !b.IsValid():
		return netip.IPv4Unspecified(), netip.IPv4Unspecified()
	case !a.IsValid():
		a = unspecifiedLike(b)
	case !b.IsValid():
		b = unspecifiedLike(a)
	}
	if a.Is4() != b.Is4() {
		a, b = netip.AddrFrom16(a.As16()), netip.AddrFrom16(b.As16())
	}
	return a, b
}

func unspecifiedLike(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// openChunk begins a chunk whose length is not known yet; mark is for
// closeChunk.
func openChunk(dst []byte, kind uint16) (_ []byte, mark int) {
	mark = len(dst)
	dst = binary.BigEndian.AppendUint16(dst, 0) // vendor
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return binary.BigEndian.AppendUint16(dst, 0), mark
}

// closeChunk writes the length of the chunk that begins at mark and ends with
// dst, of whose content no more than room bytes stay.
func closeChunk(dst []byte, mark, room int) []byte {
	if len(dst)-mark-headerSize > room {
		dst = dst[:mark+headerSize+room]
	}
	binary.BigEndian.PutUint16(dst[mark+4:], uint16(len(dst)-mark))
	return dst
}

func appendHeader(dst []byte, kind uint16, content int) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 0) // vendor
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return binary.BigEndian.AppendUint16(dst, uint16(headerSize+content))
}

func appendByte(dst []byte, kind uint16, v byte) []byte {
	return append(appendHeader(dst, kind, 1), v)
}

func appendShort(dst []byte, kind, v uint16) []byte {
	return binary.BigEndian.AppendUint16(appendHeader(dst, kind, 2), v)
}

func appendLong(dst []byte, kind uint16, v uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(dst, kind, 4), v)
}

func appendBytes(dst []byte, kind uint16, b []byte) []byte {
	return append(appendHeader(dst, kind, len(b)), b...)
}
