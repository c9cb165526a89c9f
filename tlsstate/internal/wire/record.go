package wire

const (
	// RecordHeader is the length of a record's header (RFC 8446 5.1).
	RecordHeader = 5
	// RecordLimit is the longest record body of TLS 1.2 (RFC 5246 6.2.3), the
	// longer one; libraries hold 1.3 to its own.
	RecordLimit = 16384 + 2048
	// RecordPlain is the most plaintext that a record has.
	RecordPlain = 16384
	// HandshakeLimit bounds what a peer may send until the handshake is over.
	// The largest message that crypto/tls reads, a certificate chain, is 256 KiB.
	HandshakeLimit = 256 << 10
)

// MessageLimit bounds a handshake message that comes behind the handshake. A
// server gives tickets, of up to 64 KiB (RFC 8446 4.6.1); what a client may send
// are a few bytes, and a ClientHello to negotiate anew, which is refused.
func MessageLimit(fromServer bool) int {
	if fromServer {
		return 64 << 10
	}
	return RecordPlain
}

// MessageLength is the length that a handshake message says it has (RFC 8446 4),
// 0 while its header is not whole.
func MessageLength(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	return int(b[1])<<16 | int(b[2])<<8 | int(b[3])
}

// The content types that a peer's first record can have (RFC 8446 5.1).
const (
	RecordAlert     = 21
	RecordHandshake = 22
)

// HelloOfSSLv2 is what its ClientHello begins with; it gets an alert.
const HelloOfSSLv2 = 0x80

// WholeRecord gives the length of the record that b begins with, 0 when some
// of it is missing. Of a record that is too long the header is enough:
// libraries refuse it by that.
func WholeRecord(b []byte) int {
	if len(b) < RecordHeader {
		return 0
	}
	n := int(b[3])<<8 | int(b[4])
	if n > RecordLimit {
		return RecordHeader
	}
	if len(b) < RecordHeader+n {
		return 0
	}
	return RecordHeader + n
}

// WholeRecords gives the length of all whole records at the beginning of b.
// One that is empty or too long is the last: libraries go no further.
func WholeRecords(b []byte) (n int) {
	for {
		switch r := WholeRecord(b[n:]); r {
		case 0:
			return n
		case RecordHeader:
			return n + r
		default:
			n += r
		}
	}
}

// AlertRecord is a fatal alert in clear, as it is sent before anything is
// negotiated.
func AlertRecord(code byte) []byte { return []byte{RecordAlert, 3, 1, 0, 2, 2, code} }
