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

// String returns the word that statistics use.
func (r Refusal) String() string {
	switch r {
	case RefusedLimit:
		return "max_connections"
	case RefusedDescriptors:
		return "descriptors"
	case RefusedTable:
		return "table_full"
	case RefusedShutdown:
		return "shutdown"
	case RefusedVanished:
		return "vanished"
	case RefusedOverload:
		return "overload"
	case RefusedSource:
		return "source_connections"
	case RefusedSourceHandshakes:
		return "source_handshakes"
	case RefusedSourceRate:
		return "source_handshake_rate"
	default:
		return fmt.Sprintf("refusal(%d)", uint8(r))
	}
}

// Refusals calls f with every cause there is.
func Refusals(f func(r Refusal)) {
	for r := range RefusalCount {
		f(r)
	}
}

// Refused is the error that the observer and the log get.
func Refused(r Refusal) *Error {
	switch r {
	case RefusedShutdown:
		return Because(Shutdown, "")
	case RefusedLimit:
		return Because(ConnectionLimit, "tcp_max_connections reached")
	case RefusedOverload:
		return Because(ConnectionLimit, "overload: what is up goes first")
	case RefusedSource:
		return Because(ConnectionLimit, "tcp_max_connections_per_source reached")
	case RefusedSourceHandshakes:
		return Because(ConnectionLimit, "tls_max_handshakes_per_source reached")
	case RefusedSourceRate:
		return Because(ConnectionLimit, "tls_max_handshake_rate_per_source reached")
	case RefusedDescriptors:
		return Because(ConnectionLimit, "no descriptors left for more")
	default:
		return Because(ConnectionLimit, "the table is full")
	}
}
