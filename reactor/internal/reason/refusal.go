package reason

import "fmt"

// Refusal is why an accepted connection was closed at once: a fixed set that
// statistics count by.
type Refusal uint8

// The causes of a refusal.
const (
	RefusedLimit            Refusal = iota // Config.MaxConnections is reached
	RefusedDescriptors                     // no descriptors are left
	RefusedTable                           // the table of connections is full
	RefusedShutdown                        // the engine ends
	RefusedVanished                        // the peer was gone before it could be served
	RefusedOverload                        // a TLS connection while more comes than can be handled
	RefusedSource                          // SourceLimits.Connections is reached
	RefusedSourceHandshakes                // SourceLimits.Handshakes is
	RefusedSourceRate                      // SourceLimits.HandshakeRate is
	RefusalCount                           // how many there are
	Admitted                Refusal = 255  // it was not refused
)

// refusals holds what each refusal is called and told as, by its value.
var refusals = [RefusalCount]struct {
	word   string // of statistics
	reason Reason
	detail string
}{
	RefusedLimit:            {"max_connections", ConnectionLimit, "tcp_max_connections reached"},
	RefusedDescriptors:      {"descriptors", ConnectionLimit, "no descriptors left for more"},
	RefusedTable:            {"table_full", ConnectionLimit, "the table is full"},
	RefusedShutdown:         {"shutdown", Shutdown, ""},
	RefusedVanished:         {"vanished", PeerClosed, "before it could be served"},
	RefusedOverload:         {"overload", ConnectionLimit, "overload: what is up goes first"},
	RefusedSource:           {"source_connections", ConnectionLimit, "tcp_max_connections_per_source reached"},
	RefusedSourceHandshakes: {"source_handshakes", ConnectionLimit, "tls_max_handshakes_per_source reached"},
	RefusedSourceRate:       {"source_handshake_rate", ConnectionLimit, "tls_max_handshake_rate_per_source reached"},
}

// String returns the word that statistics use.
func (r Refusal) String() string {
	if r < RefusalCount {
		return refusals[r].word
	}
	return fmt.Sprintf("refusal(%d)", uint8(r))
}

// Refusals calls f with every cause there is.
func Refusals(f func(r Refusal)) {
	for r := range RefusalCount {
		f(r)
	}
}

// Refused is the error that the observer and the log get, with the reason's usual blame.
func Refused(r Refusal) *Error { return Because(refusals[r].reason, refusals[r].detail) }
