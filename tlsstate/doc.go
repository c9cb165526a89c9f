// Package tlsstate is TLS as a state machine without a socket: a Machine takes
// ciphertext and gives plaintext, and the other way round, and never waits. Who
// owns the socket decides when, and on which goroutine, it goes on.
//
//	m, err := set.NewServer(local, remote)
//	defer m.Stop()
//	for {
//		m.Feed(bytesOfThePeer)
//		err := m.Handshake()                        // nil: established
//		send(m.Output()); m.Sent(len(m.Output()))   // our flight, or the alert
//		if err != tlsstate.ErrWantRead {
//			break
//		}
//	}
//
// then Feed and Read until ErrWantRead, Write and Output, CloseNotify at the
// end. A runnable example is with NewServer.
//
// # Machines
//
// The handshake of crypto/tls is straight-line code that reads and writes a
// net.Conn. Here that is memory, and the handshake runs in a coroutine
// (iter.Pull) that is parked when the peer's next record is not whole. A parked
// one holds some 20 kB, stack included; established and idle, a machine holds
// neither a coroutine nor a buffer, 3.3 kB in all. Phase tells where a machine is
// and documents every step that it can take.
//
// A private key may be elsewhere (crypto.Signer), and slow: an AsyncSigner parks
// the coroutine as well, so that an AsyncMachine's owner goes on with others.
//
// # Domains
//
// A Set holds the domains: as whom we answer (server domains) and as whom we
// call (client domains), with certificates, authorities and what is demanded of
// peers. It is immutable; a reload builds a new one, and what the old one made
// lives on. DomainConfig has the parameters of OpenSIPS' tls_mgm.
//
// Peers' chains are verified here and not by crypto/tls, on resumption as well:
// against the domain's authorities, revocation lists and extended key usages,
// and, for the SIP domain that was meant, by RFC 5922.
//
// # Errors
//
// A failure is an *Error: whose doing it is (the peer's, the configuration's,
// ours, a bound's), a short reason of a fixed list, and a text for people.
package tlsstate
