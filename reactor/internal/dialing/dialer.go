package dialing

import (
	"sync/atomic"

	"sipreactor/reactor/internal/backoff"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/kernel"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// Dialer finds the connection that serves a send, and opens one where there is none. It
// is anybody's.
type Dialer struct {
	All       *connection.Common
	Stream    func(transport.Proto) *transport.StreamConfig
	Keepalive kernel.Keepalive
	ForbidNew bool // no send opens a connection

	Domains  atomic.Pointer[tlsstate.Domains]
	Up       atomic.Bool // what connections need is there
	Stopping atomic.Bool // no connection is opened any more
	Probes   backoff.Probes
}

// ByDatagram is what Send answers for a message that is to go by UDP: nothing has it yet.
const ByDatagram message.Outcome = 255

// Sender is who sends a message, and may wait for its connection.
type Sender interface {
	// StandAside makes way for others before a wait that blocks; false: it must not wait.
	StandAside() bool
	// Flush has what was put into a connection's send queue written.
	Flush(c *connection.Conn)
}

// TLS returns the TLS domains of the moment; nil without any.
func (d *Dialer) TLS() tlsstate.Domains { return *d.Domains.Load() }
