package tlsstate

import (
	"bytes"
	"fmt"

	"sipreactor/tlsstate/internal/wire"
)

// NotTLS looks at the first bytes of a peer, as many as there are, and tells
// what is wrong with them; nil when they can be the beginning of TLS. The first
// byte decides, so that nobody waits for a header that never comes. client: we
// are the client. It is for machines of other libraries. Any goroutine.
func NotTLS(b []byte, client bool) *Error {
	if len(b) == 0 {
		return nil
	}
	switch {
	case b[0] == wire.RecordHandshake || b[0] == wire.RecordAlert:
		if len(b) > 1 && b[1] != 3 {
			return &Error{Blame: BlamePeer, Reason: ReasonNotTLS, Detail: fmt.Sprintf("record version %d.x", b[1])}
		}
		return nil
	case !printable(b[0]):
		return &Error{Blame: BlamePeer, Reason: ReasonNotTLS, Detail: fmt.Sprintf("first byte %#02x", b[0])}
	case client:
		return &Error{Blame: BlamePeer, Reason: ReasonPlainText, Detail: "the TLS server answers in " + guess(b)}
	default:
		return &Error{Blame: BlamePeer, Reason: ReasonPlainText, Detail: guess(b) + " on a TLS port"}
	}
}

// guess names the protocol of a plain text, as far as its beginning tells.
func guess(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 512)], []byte("\n"))
	switch {
	case bytes.Contains(line, []byte("HTTP/1.")):
		return "plain HTTP"
	case bytes.Contains(line, []byte("SIP/2.0")):
		return "plain SIP"
	}
	word, _, _ := bytes.Cut(line, []byte(" "))
	switch string(word) {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "PRI":
		return "plain HTTP"
	case "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE",
		"NOTIFY", "INFO", "UPDATE", "PRACK", "REFER", "PUBLISH", "\r":
		return "plain SIP"
	default:
		return "plain text"
	}
}

func printable(c byte) bool { return c >= ' ' && c < 0x7f || c == '\r' || c == '\n' || c == '\t' }
