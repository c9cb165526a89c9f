// Package load is the load generator that measures a SIP element over TLS or TCP: a user agent client that
// offers requests, calls, handshakes and idle connections, and a user agent server that answers them.
//
// It shares no code with the engine: connections are crypto/tls with a goroutine each, and messages are cut and
// read by a small parser of its own, so that a fault of the engine's cannot hide behind the same fault here.
//
// Open-loop loads (a fixed rate) are free of coordinated omission: a latency runs from the instant at which the
// request was due, not from the one at which a busy generator got to send it.
package load
