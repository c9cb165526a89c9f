package websocket

import (
	"encoding/binary"
	"math/rand/v2"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// Bits of a frame's head (RFC 6455 5.2).
const (
	finBit    = 0x80
	maskBit   = 0x80
	codeBits  = 0x0f
	smallest  = 125 // what the second byte alone can say
	twoBytes  = 126
	eightByte = 127
	maxTwo    = 1<<16 - 1
)

// readHeader reads the head of a frame at the beginning of b: its length, 0 if more
// bytes are needed. A length that is written in more bytes than it needs is an
// error, and so is one that no memory holds.
func readHeader(b []byte) (h ws.Header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin, h.Rsv, h.OpCode = b[0]&finBit != 0, b[0]>>4&7, ws.OpCode(b[0]&codeBits)
	h.Masked = b[1]&maskBit != 0
	n = 2
	switch length := b[1] &^ maskBit; length {
	case twoBytes:
		if len(b) < 4 {
			return h, 0, nil
		}
		h.Length, n = int64(binary.BigEndian.Uint16(b[2:])), 4
		if h.Length <= smallest {
			return h, n, errLength
		}
	case eightByte:
		if len(b) < 10 {
			return h, 0, nil
		}
		long := binary.BigEndian.Uint64(b[2:])
		n = 10
		if long>>63 != 0 || long <= maxTwo {
			return h, n, errLength
		}
		h.Length = int64(long)
	default:
		h.Length = int64(length)
	}
	if h.Masked {
		if len(b) < n+4 {
			return h, 0, nil
		}
		n += copy(h.Mask[:], b[n:n+4])
	}
	return h, n, nil
}

// appendFrame appends a frame with its payload.
func appendFrame(dst []byte, op ws.OpCode, masked bool, payload []byte) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, headRoom(masked))...)
	dst = append(dst, payload...)
	dst, at := writeHeader(dst, from, op, masked)
	if masked {
		ws.Cipher(dst[at:], [4]byte(dst[at-4:at]), 0)
	}
	return dst
}

// headRoom is the length of the head that most messages have.
func headRoom(masked bool) int {
	if masked {
		return 8
	}
	return 4
}

// writeHeader writes the head of the frame that begins at from, whose payload is all
// behind the room that was left for the head. It returns where that is now: a head
// of another length than that room moves it. The payload is not masked.
func writeHeader(b []byte, from int, op ws.OpCode, masked bool) (out []byte, at int) {
	room := headRoom(masked)
	length := len(b) - from - room
	head := room
	switch {
	case length <= smallest:
		head -= 2
	case length > maxTwo:
		head += 6
		b = append(b, 0, 0, 0, 0, 0, 0)
	}
	at = from + head
	if head != room {
		copy(b[at:], b[from+room:from+room+length])
		b = b[:at+length]
	}
	b[from] = finBit | byte(op)
	switch {
	case length <= smallest:
		b[from+1] = byte(length)
	case length <= maxTwo:
		b[from+1] = twoBytes
		binary.BigEndian.PutUint16(b[from+2:], uint16(length))
	default:
		b[from+1] = eightByte
		binary.BigEndian.PutUint64(b[from+2:], uint64(length))
	}
	if masked {
		b[from+1] |= maskBit
		binary.BigEndian.PutUint32(b[at-4:], rand.Uint32()) // ChaCha8, seeded by the system
	}
	return b, at
}

// kindOf tells how a message is sent: as text where it is text (RFC 6455 5.6), which
// is what a browser's programs expect.
func kindOf(message []byte) ws.OpCode {
	if utf8.Valid(message) {
		return ws.OpText
	}
	return ws.OpBinary
}
