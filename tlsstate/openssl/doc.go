// Package openssl is the machine of package tlsstate on libssl 3 instead of
// crypto/tls: the same domains, phases, errors and calls. A full handshake with an RSA-2048
// certificate takes it less than half of the server CPU; with ECDSA crypto/tls is
// the cheaper one, and so it is for messages and for memory held by an idle
// connection.
//
// It is in a binary only if it was built with the tag openssl, with cgo and the
// headers of libssl 3 (Debian: apt-get install libssl-dev):
//
//	CGO_ENABLED=1 go build -tags openssl ./cmd/sipreactor
//
// Without the tag the package is empty, and the binary pure Go and static. With
// it the package registers itself as tlsstate's library "openssl" where it is
// imported, and there are
//
//	set, err := openssl.Build(cfg)          // a tlsstate.Config
//	m, err := set.NewServer(local, remote)  // a tlsstate.Machine
//	m, err := set.NewClient(query)
//	identity, err := set.ClientIdentity(query)
//
// # How it works
//
// A machine is an SSL between two pieces of memory. Each step is one call into
// C, which is given the peer's whole records, leaves status and figures in a
// structure, and writes what is to be sent into the machine's buffer; C never
// calls Go. Domains are found and certificates' names judged by the tlsstate.Set
// of the same configuration. Each domain has its SSL_CTX, made by Build and freed when nothing
// refers to the set any more. A server's connection is first shown to an SSL that
// only takes the name out of the ClientHello; Go chooses the domain, and the
// connection begins anew with that domain's SSL_CTX and the same bytes.
//
// Peers' chains are verified by libcrypto against the domain's authorities and
// revocation lists, the extended key usages after it; a client's handshake
// pauses for Go to say whether the certificate names the SIP domain that was
// meant.
//
// # What differs from tlsstate
//
//   - A Signer (a key that lives elsewhere) is refused by Build.
//   - X25519MLKEM768 is not offered: libssl has it from 3.5 on.
//   - In TLS 1.2 the curve of a peer's ECDSA certificate has to be among ec_curve,
//     and that of ours among those that a client offers (RFC 8422 5.1).
//   - Tickets open where the same tlsstate.TicketKeys, or the same
//     ticket_keys_file, serve libssl; a node on crypto/tls makes a full handshake
//     of them, and the other way round.
//   - A session whose chain no longer passes is not resumed; the full handshake
//     that follows gives the reason.
package openssl
