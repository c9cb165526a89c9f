package reactor

import (
	"github.com/valyala/bytebufferpool"

	"sipreactor/tlsstate"
)

// codec turns bytes of the socket into plaintext and back. A TLS machine is
// one, plain is the other; the engine drives both by the same code. One owner
// at a time.
type codec interface {
	Feed(b []byte)
	Read(p []byte) (int, error)
	Unfinished() bool
	Write(p []byte) (int, error)
	Output() []byte
	Sent(n int)
	CloseNotify() error
	Stop()
}

// shaker is a codec whose handshake comes first.
type shaker interface {
	codec
	Handshake() error
}

var _ shaker = tlsstate.Machine(nil)

// plain is the codec of plain TCP: what it is fed is what it reads.
type plain struct {
	in  []byte // borrowed from the loop, gone when Read has said so
	out *bytebufferpool.ByteBuffer
	off int
}

func (c *plain) Feed(b []byte) { c.in = b }

func (c *plain) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		c.in = nil
		return 0, tlsstate.ErrWantRead
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *plain) Unfinished() bool { return false }

func (c *plain) Write(p []byte) (int, error) {
	if c.out == nil {
		c.out = bytebufferpool.Get()
	}
	return c.out.Write(p)
}

func (c *plain) Output() []byte {
	if c.out == nil {
		return nil
	}
	return c.out.B[c.off:]
}

func (c *plain) Sent(n int) {
	if c.out == nil {
		return
	}
	if c.off += n; c.off >= len(c.out.B) {
		c.Stop()
	}
}

func (c *plain) CloseNotify() error { return nil }

func (c *plain) Stop() {
	if c.out != nil {
		bytebufferpool.Put(c.out)
		c.out, c.off = nil, 0
	}
}
