package message

import (
	"net/netip"

	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
)

// Handle names a connection: the slot it has in the table and the generation
// of that slot. A handle that is kept past the end of its connection never
// reaches another one. 0 names none. It is also the connection's id in logs,
// statistics and traces.
type Handle uint64

// Socket is a listener. It does not change once the engine has started, so
// any goroutine may read it.
type Socket struct {
	Proto transport.Proto
	// Addr is what the socket is bound to; with port 0 asked for, the port
	// that the kernel gave.
	Addr netip.AddrPort
	// Advertised is the host to name in Via and Record-Route instead of the
	// address ("" = none), AdvertisedPort its port (0 = the socket's).
	Advertised     string
	AdvertisedPort uint16
	// Tag is the name a script may call the socket by, Host what else the configuration
	// calls it than by its address: a host name or a network interface. "" is none.
	Tag, Host string

	// Index is its place among the sockets of the configuration; the engine sets it.
	Index int
}

// Source tells where a frame came from. It belongs to the connection, does not
// change once that is established, and may be kept.
type Source struct {
	Conn          Handle
	Proto         transport.Proto
	Remote, Local netip.AddrPort
	// Socket is the listener that accepted the connection or from which it was
	// dialled; nil when it was dialled from none.
	Socket *Socket
	// Outbound tells that we opened the connection.
	Outbound bool
	// Verified tells that the peer's certificate was verified, as the TLS domain
	// demands.
	Verified bool
}

// Appender writes a message behind dst and returns the longer slice.
// sipframe.Rewriter is one. It is called once, under the connection's lock: it
// must not block and not call the engine.
type Appender interface {
	AppendTo(dst []byte) []byte
}

// Bytes is an Appender of bytes that are there already.
type Bytes []byte

// AppendTo appends the bytes.
func (b Bytes) AppendTo(dst []byte) []byte { return append(dst, b...) }

// Target says where a message is to go.
type Target struct {
	// Conn is tried first when it is not 0; the other fields matter only if it
	// is gone.
	Conn Handle
	// Proto and Addr are the next hop. An invalid Addr: only Conn is tried.
	Proto transport.Proto
	// NoNew forbids to open a connection.
	NoNew bool
	// Class is what the message is, for the connection's send queue.
	Class Class
	Addr  netip.AddrPort
	// Name is the host of the next hop's URI, in the form the URI has it: the
	// name sent as SNI, checked against the certificate (RFC 5922) and matched
	// by client domains.
	Name string
	// Domain picks the TLS client domain by its name; "" chooses it by Name
	// and Addr.
	Domain string
	// Socket is the local socket that the connection must belong to, and from
	// whose address a new one is dialled; nil is any.
	Socket *Socket
	// Set is the addresses of the destination that Addr is one of, as a name has
	// several; nil is Addr alone. A destination that failed is tried again sooner
	// where no other of its set is up.
	Set *AddrSet
	// Carrier, if it is not nil, is where a Send that succeeds writes what has
	// the message: the connection, or the socket of a datagram. Local is invalid
	// while a connect is under way whose own end is not known.
	Carrier *Source
	// Note is what Undelivered brings back with the message: whatever its sender
	// needs to go on with it. It stays with the message until that is delivered.
	Note any
}

// Class is what a message is to a send queue that is about to be full: what
// begins something is refused first, since what belongs to something that has
// begun is worth more. It also tells which messages are owed an answer.
type Class uint8

const (
	// Unclassed is refused first, and owed no answer.
	Unclassed Class = iota
	// NewRequest begins a dialog or stands alone: refused first.
	NewRequest
	// LaterRequest is one within a dialog, or a CANCEL.
	LaterRequest
	// Final needs no answer: a response, or an ACK.
	Final
)

// Urgent reports whether the message finds room where a new request finds none.
func (c Class) Urgent() bool { return c >= LaterRequest }

// Asks reports whether the message is owed an answer.
func (c Class) Asks() bool { return c == NewRequest || c == LaterRequest }

// EndPoint is an address and the transport that is spoken there.
type EndPoint struct {
	Proto transport.Proto
	Addr  netip.AddrPort
}

// AddrSet is the end points of one destination, all that may be tried. It does not
// change.
type AddrSet struct{ EndPoints []EndPoint }

// Outcome tells what became of a message that Send took.
type Outcome uint8

const (
	// Sent: the message is with an established connection, in order.
	Sent Outcome = iota + 1
	// Queued: the message waits behind a connect, a handshake or a peer that
	// does not read. If that fails, Handler.Undelivered gets it back.
	Queued
)

// Undelivered is a message that Send had taken and that could not be delivered
// after all. Data is valid until the Handler returns.
type Undelivered struct {
	// Data is the message as its Appender wrote it.
	Data []byte
	// Proto and Addr are where it was to go, Conn the connection it waited for.
	Proto transport.Proto
	Addr  netip.AddrPort
	Conn  Handle
	// Note is that of the Target it was sent to.
	Note any
	// Quoted tells that Data is the beginning of a datagram only, in whole lines and
	// with an empty one at its end, as the network has quoted it: anybody may have
	// made it up. Socket is the one it was sent from; Note is nil.
	Quoted bool
	Socket *Socket
	// Err is the reason the connection ended with.
	Err *reason.Error
}
