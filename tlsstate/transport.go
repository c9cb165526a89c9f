package tlsstate

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// errStopped ends a handshake whose machine was stopped.
var errStopped = errors.New("tlsstate: stopped")

// outOfBytes is what the transport answers when it has nothing to read and the
// handshake is over. crypto/tls does not keep a temporary error, so Read is
// simply called again when there are bytes.
type outOfBytes struct{}

func (outOfBytes) Error() string   { return "tlsstate: out of bytes" }
func (outOfBytes) Timeout() bool   { return true }
func (outOfBytes) Temporary() bool { return true }

// inboxLimit bounds the bytes that wait for a handshake: the largest message
// that crypto/tls reads is 64 KiB.
const inboxLimit = 256 << 10

// buffers are what machines hold only while there is something in them.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// keptCapacity is the largest buffer that goes back to the pool.
const keptCapacity = 128 << 10

// store is bytes in a pooled buffer, read from the front.
type store struct {
	buf *[]byte
	off int
}

func (s *store) bytes() []byte {
	if s.buf == nil {
		return nil
	}
	return (*s.buf)[s.off:]
}

func (s *store) add(p []byte) {
	if len(p) == 0 {
		return
	}
	if s.buf == nil {
		s.buf = buffers.Get().(*[]byte)
		*s.buf = (*s.buf)[:0]
	}
	*s.buf = append(*s.buf, p...)
}

// drop takes n bytes off the front; the buffer goes back when it is empty.
func (s *store) drop(n int) {
	if s.buf == nil {
		return
	}
	if s.off += n; s.off >= len(*s.buf) {
		s.free()
	}
}

func (s *store) free() {
	if s.buf != nil && cap(*s.buf) <= keptCapacity {
		buffers.Put(s.buf)
	}
	s.buf, s.off = nil, 0
}

// transport is the net.Conn that crypto/tls reads and writes: memory. While
// the handshake runs, a Read without bytes yields its coroutine.
type transport struct {
	m        *machine
	borrowed []byte // what Feed was given, as long as the caller keeps it
	inbox    store  // what was left of it
	out      store
	// yield parks the handshake's coroutine; nil when there is none.
	yield         func(struct{}) bool
	local, remote netip.AddrPort
}

// feed gives bytes to read; those of an earlier feed come first.
func (t *transport) feed(b []byte) {
	t.keep()
	if t.inbox.buf != nil {
		t.inbox.add(b)
		return
	}
	t.borrowed = b
}

// keep copies what is left of the borrowed bytes: their owner wants them back.
func (t *transport) keep() {
	if len(t.borrowed) > 0 {
		t.inbox.add(t.borrowed)
	}
	t.borrowed = nil
}

// waiting is how many bytes wait to be read.
func (t *transport) waiting() int { return len(t.borrowed) + len(t.inbox.bytes()) }

// Read gives what was fed.
func (t *transport) Read(p []byte) (int, error) {
	for {
		if in := t.inbox.bytes(); len(in) > 0 {
			n := copy(p, in)
			t.inbox.drop(n)
			return n, nil
		}
		if len(t.borrowed) > 0 {
			n := copy(p, t.borrowed)
			t.borrowed = t.borrowed[n:]
			return n, nil
		}
		if t.yield == nil {
			return 0, outOfBytes{}
		}
		if !t.yield(struct{}{}) {
			return 0, errStopped
		}
	}
}

// Write appends to what is to be sent.
func (t *transport) Write(p []byte) (int, error) {
	t.out.add(p)
	return len(p), nil
}

// Close does nothing: there is no descriptor.
func (t *transport) Close() error { return nil }

// LocalAddr is our end of the socket that the engine has.
func (t *transport) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(t.local) }

// RemoteAddr is the peer's; client sessions are remembered by it when there is
// no server name.
func (t *transport) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(t.remote) }

// The deadlines are the engine's.

func (t *transport) SetDeadline(time.Time) error      { return nil }
func (t *transport) SetReadDeadline(time.Time) error  { return nil }
func (t *transport) SetWriteDeadline(time.Time) error { return nil }

var (
	_ net.Conn  = (*transport)(nil)
	_ io.Reader = (*transport)(nil)
)
