package transport

import "time"

// StreamConfig is how connections of one stream protocol behave: the
// parameters of proto_tls, proto_tcp, proto_ws and proto_wss. The times of
// the zero value are over as soon as they begin: DefaultConfig has those of the contract.
type StreamConfig struct {
	CRLFPingPong bool // answer CRLFCRLF between messages with CRLF; false: discard it
	CRLFDrop     bool // discard a single CRLF between messages at once; false: when the next bytes come
	// MaxChunks is in how many chunks a message may arrive; 0 = no limit.
	MaxChunks int
	// Async parks what is not done within the local budgets. Without it a
	// sender waits for connect, handshake and write.
	Async bool
	// MaxPostponed is how many messages may wait for a peer that does not take
	// them, or for its connect and handshake: as many again of what is under way
	// already. 0: none waits but for the loop, and what is not done within the local
	// budgets fails.
	MaxPostponed int
	// LocalConnectTimeout and LocalHandshakeTimeout are how long a sender waits
	// for either with Async: elapsed time. 0: it goes on at once.
	LocalConnectTimeout, LocalHandshakeTimeout time.Duration
	// HandshakeTimeout is the time the peer may take over the whole handshake: that in
	// which we wait for its bytes. 0: it is late with the first.
	HandshakeTimeout time.Duration
	// SendTimeout is how long a send queue may make no progress while the peer's
	// window is closed. Time that the path takes is not counted: UserTimeout. 0: a peer
	// that takes nothing is given up at the next look, after a millisecond.
	SendTimeout time.Duration
	// CertCheckOnReuse keeps connections that we opened to the client domain and
	// the certificate they were made with. false: any connection to the address serves,
	// as far as who was verified allows it.
	CertCheckOnReuse bool
	// Web is of WebSocket alone; its zero value lets all pages in.
	Web WebConfig
}

// WebConfig is what WebSocket asks for besides what every stream does. The zero value
// lets in every origin and asks for "/".
type WebConfig struct {
	// Resource is what a connection of ours asks the server for; "" is "/".
	Resource string
	// RequireOrigin refuses clients that do not say which page they are of, Origins
	// those of other pages than these: patterns of a shell in lower case, such as
	// "https://*.example.com"; none lets all in.
	RequireOrigin bool
	Origins       []string
	// AcceptTimeout is the time that a client may take over its whole handshake, TLS
	// included: it is a browser, on a path that its user has chosen. 0 is
	// HandshakeTimeout.
	AcceptTimeout time.Duration
}
