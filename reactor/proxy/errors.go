package proxy

import "errors"

// Errors of Forward and Send. They come wrapped in an *Error.
var (
	// ErrTransport: the next hop's transport is none of ours (SCTP, WS ...), or
	// UDP with sips.
	ErrTransport = errors.New("proxy: transport is not supported")
	// ErrNoSocket: no listener has the next hop's transport and address family.
	ErrNoSocket = errors.New("proxy: no listener to send from")
	// ErrHops: Max-Forwards is spent. The request has been answered 483.
	ErrHops = errors.New("proxy: too many hops")
	// ErrForwarded: the request has been forwarded already; a stateless proxy
	// does not fork (RFC 3261 16.11).
	ErrForwarded = errors.New("proxy: already forwarded")
	// ErrBroken: with the Router's changes, or without a Content-Length on a
	// stream, the message would be none any more.
	ErrBroken = errors.New("proxy: the changed message is broken")
)

// Error is why a message could not be sent to a destination.
type Error struct {
	// Dest is the destination as the Router or the message named it.
	Dest string
	// Err is the cause: one of this package's errors, or a *reactor.Error when a
	// connection failed.
	Err error
}

// Error gives "destination: cause".
func (e *Error) Error() string { return e.Dest + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
