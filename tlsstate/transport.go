package tlsstate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"sipreactor/tlsstate/internal/wire"
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

// transport is the net.Conn under crypto/tls: memory. It gives whole records
// and never more than one at a call, so that crypto/tls holds no ciphertext of
// its own between two calls, and the handshake's coroutine is not woken for a
// byte.
type transport struct {
	m   *machine
	in  wire.Inbox
	out wire.Store
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

// readable tells whether crypto/tls can go on.
func (t *transport) readable() bool { return t.left > 0 || wire.WholeRecord(t.in.Waiting()) > 0 }

// Read gives what was fed, up to the end of one record.
func (t *transport) Read(p []byte) (int, error) {
	for t.left == 0 {
		if t.left = wire.WholeRecord(t.in.Waiting()); t.left > 0 {
			t.notice(t.in.Waiting()[:t.left])
			break
		}
		if t.yield == nil {
			return 0, errOutOfBytes
		}
		if !t.yield(struct{}{}) {
			return 0, errStopped
		}
	}
	n := copy(p, t.in.Waiting()[:t.left])
	t.in.Drop(n)
	t.left -= n
	if t.yield != nil {
		if t.taken += n; t.taken > wire.HandshakeLimit {
			return 0, &Error{Blame: BlamePeer, Reason: ReasonTooMuch,
				Detail: fmt.Sprintf("more than %d bytes and no end", wire.HandshakeLimit)}
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
	if record[0] == wire.RecordAlert && len(record) == wire.RecordHeader+2 {
		t.plainAlert = record[wire.RecordHeader+1]
	}
}

// Write appends to what is to be sent.
func (t *transport) Write(p []byte) (int, error) {
	t.out.Add(p)
	return len(p), nil
}

func (t *transport) free() {
	t.in.Free()
	t.out.Free()
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
