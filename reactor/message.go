package reactor

import "sipreactor/reactor/internal/message"

// What a message comes from and goes to. The fields are told where the types are:
// go doc sipreactor/reactor/internal/message.Target, and so on.
type (
	// Handle names a connection, and never another one. 0 names none. It is also the
	// connection's id in logs, statistics and traces.
	Handle = message.Handle
	// Socket is a listener: Proto, Addr, Advertised, AdvertisedPort, Tag, Host. Any
	// goroutine may read it.
	Socket = message.Socket
	// Source tells where a frame came from: Conn, Proto, Remote, Local, Socket, Outbound,
	// Verified. It may be kept.
	Source = message.Source
	// Target says where a message is to go: Conn, or Proto and Addr with Name, Domain,
	// Socket, Set and NoNew; Class, Carrier and Note are the message's own.
	Target = message.Target
	// EndPoint is an address and the transport that is spoken there: Proto, Addr.
	EndPoint = message.EndPoint
	// AddrSet is the EndPoints of one destination, all that may be tried.
	AddrSet = message.AddrSet
	// Appender writes a message behind dst and returns the longer slice. It is called
	// once, under a lock: it must not block and not call the engine.
	Appender = message.Appender
	// Bytes is an Appender of bytes that are there already.
	Bytes = message.Bytes
	// Class is what a message is to a send queue that is about to be full, and whether
	// it is owed an answer.
	Class = message.Class
	// Undelivered is a message that Send had taken and that could not be delivered after
	// all: Data (valid until the Handler returns), Proto, Addr, Conn, Note, Err, and Quoted
	// with Socket where the network has said so of a datagram.
	Undelivered = message.Undelivered
	// Outcome tells what became of a message that Send took.
	Outcome = message.Outcome
)

// The classes.
const (
	Unclassed    = message.Unclassed    // refused first, and owed no answer
	NewRequest   = message.NewRequest   // begins a dialog or stands alone: refused first
	LaterRequest = message.LaterRequest // one within a dialog, or a CANCEL
	Final        = message.Final        // needs no answer: a response, or an ACK
)

// The outcomes.
const (
	Sent   = message.Sent   // it is with an established connection, in order
	Queued = message.Queued // it waits; if that fails, Handler.Undelivered gets it back
)
