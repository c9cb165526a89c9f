package hep

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// ErrShort: a packet's end is still to come.
var ErrShort = errors.New("hep: the packet is not complete")

// ErrMagic: what begins here is no HEPv3 packet. A stream that says so is lost.
var ErrMagic = errors.New("hep: no HEPv3 packet begins here")

// Length tells how long the packet is that a stream begins with, in bytes. The
// error is ErrShort when that cannot be told yet, and ErrMagic.
func Length(stream []byte) (int, error) {
	n := min(len(stream), len(magic))
	if string(stream[:n]) != magic[:n] {
		return 0, ErrMagic
	}
	if len(stream) < headerSize {
		return 0, ErrShort
	}
	length := int(binary.BigEndian.Uint16(stream[len(magic):]))
	if length < headerSize {
		return 0, ErrMagic
	}
	return length, nil
}

// Decode reads the one packet that data is into p, whose slices then are views
// into data. Chunks of other vendors and types that Packet has no field for are
// passed over. The error tells which chunk is wrong; p is of no use then.
func (p *Packet) Decode(data []byte) error {
	length, err := Length(data)
	switch {
	case err != nil:
		return err
	case len(data) < length:
		return ErrShort
	case len(data) > length:
		return fmt.Errorf("hep: %d bytes behind the packet", len(data)-length)
	}
	*p = Packet{}
	var seconds, micros uint32
	var from, to netip.Addr
	var fromPort, toPort uint16
	for at := headerSize; at < length; {
		rest := data[at:]
		if len(rest) < headerSize {
			return fmt.Errorf("hep: a chunk without header at %d", at)
		}
		vendor, kind := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
		size := int(binary.BigEndian.Uint16(rest[4:]))
		if size < headerSize || size > len(rest) {
			return fmt.Errorf("hep: chunk %#x at %d has length %d of %d", kind, at, size, len(rest))
		}
		at += size
		if vendor != 0 {
			continue
		}
		body := rest[headerSize:size]
		if want := fixedSize(kind); want != 0 && len(body) != want {
			return fmt.Errorf("hep: chunk %#x has %d bytes instead of %d", kind, len(body), want)
		}
		switch kind {
		case chunkProtocol:
			p.Protocol = body[0]
		case chunkSource4, chunkSource6:
			from, _ = netip.AddrFromSlice(body)
		case chunkTarget4, chunkTarget6:
			to, _ = netip.AddrFromSlice(body)
		case chunkSourcePort:
			fromPort = binary.BigEndian.Uint16(body)
		case chunkTargetPort:
			toPort = binary.BigEndian.Uint16(body)
		case chunkSeconds:
			seconds = binary.BigEndian.Uint32(body)
		case chunkMicros:
			micros = binary.BigEndian.Uint32(body)
		case chunkPayloadType:
			p.Type = body[0]
		case chunkCaptureID:
			p.CaptureID = binary.BigEndian.Uint32(body)
		case chunkPayload:
			p.Payload = body
		case chunkCorrelation:
			p.Correlation = body
		case chunkAuthKey:
			p.AuthKey = body
		}
	}
	p.Source, p.Target = netip.AddrPortFrom(from, fromPort), netip.AddrPortFrom(to, toPort)
	p.Time = time.Unix(int64(seconds), int64(micros)*1000)
	return nil
}

// fixedSize is how many bytes a chunk's content has; 0 when it may vary.
func fixedSize(kind uint16) int {
	switch kind {
	case chunkFamily, chunkProtocol, chunkPayloadType:
		return 1
	case chunkSourcePort, chunkTargetPort:
		return 2
	case chunkSource4, chunkTarget4, chunkSeconds, chunkMicros, chunkCaptureID:
		return 4
	case chunkSource6, chunkTarget6:
		return 16
	default:
		return 0
	}
}
