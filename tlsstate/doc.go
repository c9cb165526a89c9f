// Package tlsstate is TLS as a state machine without a socket: a Machine takes
// ciphertext and gives plaintext, and the other way round, and never waits. Who
// owns the socket decides when and on which goroutine it goes on.
//
// A Set holds the domains: as whom we answer (server domains) and as whom we
// call (client domains), with certificates, authorities and what we demand of
// peers. It is immutable; a reload builds a new one.
//
// Failures are typed by blame: the peer, the configuration, us, or a bound.
package tlsstate
