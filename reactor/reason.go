package reactor

import "sipreactor/reactor/internal/reason"

// Blame tells whose doing an end or a failure is.
type Blame = reason.Blame

// Who can be to blame.
const (
	BlameNone     = reason.BlameNone     // an orderly end
	BlamePeer     = reason.BlamePeer     // the other side broke a rule, vanished or was late
	BlameConfig   = reason.BlameConfig   // our configuration forbids or lacks something
	BlameUs       = reason.BlameUs       // a fault of ours or of the machine
	BlameOverload = reason.BlameOverload // a bound of ours was reached
)

// Reason is why a connection ended or a message was refused: a fixed set that
// logs, statistics and traces share. Its methods:
//
//	String() string  its text
//	Blame() Blame    the side that is usually to blame for it
//	Orderly() bool   a connection that ends so has done nothing wrong
type Reason = reason.Reason

// The reasons, named as they are written.
const (
	NoReason           = reason.NoReason
	IdleTimeout        = reason.IdleTimeout
	HandshakeTimeout   = reason.HandshakeTimeout
	HandshakeFailed    = reason.HandshakeFailed
	PeerClosed         = reason.PeerClosed
	ReadError          = reason.ReadError
	WriteError         = reason.WriteError
	SendTimeout        = reason.SendTimeout
	MessageTimeout     = reason.MessageTimeout
	TooManyChunks      = reason.TooManyChunks
	MessageTooLarge    = reason.MessageTooLarge
	MalformedMessage   = reason.MalformedMessage
	QueueFull          = reason.QueueFull
	ConnectFailed      = reason.ConnectFailed
	ConnectTimeout     = reason.ConnectTimeout
	ConnectionLimit    = reason.ConnectionLimit
	RejectedByDomain   = reason.RejectedByDomain
	ClosedByManagement = reason.ClosedByManagement
	Shutdown           = reason.Shutdown
	NoConnection       = reason.NoConnection // Send: the connection is gone and a new one is forbidden or impossible
	NoAcknowledgement  = reason.NoAcknowledgement
	HandlerFailed      = reason.HandlerFailed // the Handler panicked over a message of it
	EngineFailed       = reason.EngineFailed  // an event loop panicked over it
)

// Error is a reason with the side to blame and, where there is one, the cause:
//
//	Reason  Reason
//	Blame   Blame
//	Detail  string  continues the reason's text after a colon; "" if there is none
//	Err     error   the cause, which Unwrap returns; may be nil
//
// Error returns "reason: detail".
type Error = reason.Error

// Refusal is why an accepted connection was closed at once: a fixed set that
// statistics count by. String returns the word that they use.
type Refusal = reason.Refusal

// The causes of a refusal.
const (
	RefusedLimit            = reason.RefusedLimit            // Config.MaxConnections is reached
	RefusedDescriptors      = reason.RefusedDescriptors      // no descriptors are left
	RefusedTable            = reason.RefusedTable            // the table of connections is full
	RefusedShutdown         = reason.RefusedShutdown         // the engine ends
	RefusedVanished         = reason.RefusedVanished         // the peer was gone before it could be served
	RefusedOverload         = reason.RefusedOverload         // a TLS connection while more comes than can be handled
	RefusedSource           = reason.RefusedSource           // SourceLimits.Connections is reached
	RefusedSourceHandshakes = reason.RefusedSourceHandshakes // SourceLimits.Handshakes is
	RefusedSourceRate       = reason.RefusedSourceRate       // SourceLimits.HandshakeRate is
)

// Refusals calls f with every cause there is.
func Refusals(f func(r Refusal)) { reason.Refusals(f) }
