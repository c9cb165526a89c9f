package codec

import (
	"github.com/valyala/bytebufferpool"

	"sipreactor/tlsstate"
)

// Codec turns bytes of the socket into plaintext and back. A tlsstate.Machine is one,
// whose documentation tells more of each method, Plain is another.
type Codec interface {
	// Feed takes what the socket brought. It is the caller's again when Read has
	// returned tlsstate.ErrWantRead.
	Feed(b []byte)
	// Read returns plaintext; tlsstate.ErrWantRead when there is none until more is
	// fed, io.EOF when the peer has ended its stream in order.
	Read(p []byte) (int, error)
	// Unfinished reports whether a part of something is kept until the rest comes.
	Unfinished() bool
	// Write takes plaintext, of which Output then has what is to be written to the
	// socket; Sent takes n bytes of that off again.
	Write(p []byte) (int, error)
	Output() []byte
	Sent(n int)
	// CloseNotify has Output say that nothing more comes from us, where there is a way
	// to say it.
	CloseNotify() error
	// Stop lets go of everything. Nothing is called behind it.
	Stop()
}

// Shaker is a codec whose handshake comes first.
type Shaker interface {
	Codec
	// Handshake goes on as far as what was fed reaches: nil when it is done,
	// tlsstate.ErrWantRead or ErrWantSignature when it has to be called again. Output
	// has what is to be written, behind an error too.
	Handshake() error
}

var _ Shaker = tlsstate.Machine(nil)

// Plain is the codec of plain TCP: what it is fed is what it reads. Idle, it holds no
// memory. The zero value is ready.
type Plain struct {
	in  []byte // borrowed from the loop, gone when Read has said so
	out *bytebufferpool.ByteBuffer
	off int
}

// Feed has the next Reads return b.
func (c *Plain) Feed(b []byte) { c.in = b }

// Read returns what was fed.
func (c *Plain) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		c.in = nil
		return 0, tlsstate.ErrWantRead
	}
	n := copy(p, c.in)
	c.in = c.in[n:]
	return n, nil
}

// Unfinished is always false: a plain stream has no records.
func (c *Plain) Unfinished() bool { return false }

// Write appends to what is to be written.
func (c *Plain) Write(p []byte) (int, error) {
	if c.out == nil {
		c.out = bytebufferpool.Get()
	}
	return c.out.Write(p)
}

// Output returns what is to be written.
func (c *Plain) Output() []byte {
	if c.out == nil {
		return nil
	}
	return c.out.B[c.off:]
}

// Sent takes off what was written.
func (c *Plain) Sent(n int) {
	if c.out == nil {
		return
	}
	if c.off += n; c.off >= len(c.out.B) {
		c.Stop()
	}
}

// CloseNotify has no way to say it.
func (c *Plain) CloseNotify() error { return nil }

// Stop lets go of what was not written.
func (c *Plain) Stop() {
	if c.out != nil {
		bytebufferpool.Put(c.out)
		c.out, c.off = nil, 0
	}
}
