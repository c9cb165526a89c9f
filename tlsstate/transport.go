package tlsstate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// errStopped ends a handshake whose machine was stopped.
var errStopped = errors.New("tlsstate: stopped")

// errOutOfBytes is what the transport answers when it has nothing to read and
// the handshake is over. crypto/tls does not keep a temporary error, so its
// Read is simply called again when there are bytes.
var errOutOfBytes net.Error = outOfBytes{}

type outOfBytes struct{}

func (outOfBytes) Error() string   { return "tlsstate: out of bytes" }
func (outOfBytes) Timeout() bool   { return true }
func (outOfBytes) Temporary() bool { return true }

const (
	// recordHeader is the length of a record's header (RFC 8446 5.1).
	recordHeader = 5
	// recordLimit is the longest record body of TLS 1.2 (RFC 5246 6.2.3), the
	// longer one; crypto/tls holds 1.3 to its own.
	recordLimit = 16384 + 2048
	// handshakeLimit bounds what a peer may send until the handshake is over.
	// The largest message that crypto/tls reads, a certificate chain, is 256 KiB.
	handshakeLimit = 256 << 10
)

// transport is the net.Conn under crypto/tls: memory. It gives whole records
// and never more than one at a call, so that crypto/tls holds no ciphertext of
// its own between two calls, and the handshake's coroutine is not woken for a
// byte.
type transport struct {
	m *machine
	// lent is what Feed was given; kept is what was left of earlier feeds. One
	// of them is empty: together they are in one piece.
	lent []byte
	kept store
	out  store
	// left is the rest of the record that crypto/tls is reading.
	left int
	// taken counts the bytes that the handshake has read.
	taken int
	// plainAlert is the alert in clear that the last record was, else 0.
	plainAlert uint8
	// yield parks the handshake's coroutine; nil when none runs.
	yield         func(struct{}) bool
	local, remote netip.AddrPort
}

// feed gives bytes to read, behind those of earlier feeds.
func (t *transport) feed(b []byte) {
	t.keep()
	if t.kept.len() > 0 {
		t.kept.add(b)
		return
	}
	t.lent = b
}

// keep copies what is left of the lent bytes: their owner wants them back.
func (t *transport) keep() {
	t.kept.add(t.lent)
	t.lent = nil
}

// waiting is the ciphertext that was not read yet.
func (t *transport) waiting() []byte {
	if len(t.lent) > 0 {
		return t.lent
	}
	return t.kept.bytes()
}

func (t *transport) drop(n int) {
	if len(t.lent) > 0 {
		t.lent = t.lent[n:]
		return
	}
	t.kept.drop(n)
}

// readable tells whether crypto/tls can go on.
func (t *transport) readable() bool { return t.left > 0 || wholeRecord(t.waiting()) > 0 }

// wholeRecord gives the length of the record that b begins with, 0 when some
// of it is missing. Of a record that is too long the header is enough:
// crypto/tls refuses it by that.
func wholeRecord(b []byte) int {
	if len(b) < recordHeader {
		return 0
	}
	n := int(b[3])<<8 | int(b[4])
	if n > recordLimit {
		return recordHeader
	}
	if len(b) < recordHeader+n {
		return 0
	}
	return recordHeader + n
}

// Read gives what was fed, up to the end of one record.
func (t *transport) Read(p []byte) (int, error) {
	for t.left == 0 {
		if t.left = wholeRecord(t.waiting()); t.left > 0 {
			t.notice(t.waiting()[:t.left])
			break
		}
		if t.yield == nil {
			return 0, errOutOfBytes
		}
		if !t.yield(struct{}{}) {
			return 0, errStopped
		}
	}
	n := copy(p, t.waiting()[:t.left])
	t.drop(n)
	t.left -= n
	if t.yield != nil {
		if t.taken += n; t.taken > handshakeLimit {
			return 0, &Error{Blame: BlamePeer, Reason: ReasonTooMuch,
				Detail: fmt.Sprintf("more than %d bytes and no end", handshakeLimit)}
		}
	}
	return n, nil
}

// notice looks for an alert in clear; an encrypted one is longer. OpenSSL's
// client says in clear that it refuses a TLS 1.3 server's certificate, where
// crypto/tls expects a sealed record: without this, all that an operator would
// hear of it is "bad_record_mac".
func (t *transport) notice(record []byte) {
	t.plainAlert = 0
	if record[0] == recordAlert && len(record) == recordHeader+2 {
		t.plainAlert = record[recordHeader+1]
	}
}

// Write appends to what is to be sent.
func (t *transport) Write(p []byte) (int, error) {
	t.out.add(p)
	return len(p), nil
}

func (t *transport) free() {
	t.lent = nil
	t.kept.free()
	t.out.free()
}

// Close does nothing: there is no descriptor.
func (t *transport) Close() error { return nil }

// LocalAddr is our end of the socket that the caller has.
func (t *transport) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(t.local) }

// RemoteAddr is the peer's end.
func (t *transport) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(t.remote) }

// The deadlines are the caller's.

func (t *transport) SetDeadline(time.Time) error      { return nil }
func (t *transport) SetReadDeadline(time.Time) error  { return nil }
func (t *transport) SetWriteDeadline(time.Time) error { return nil }

var _ net.Conn = (*transport)(nil)
