//go:build openssl

package openssl

import (
	"bytes"
	"fmt"

	"sipreactor/tlsstate"
)

const (
	// recordHeader is the length of a record's header (RFC 8446 5.1).
	recordHeader = 5
	// recordLimit is the longest record body of TLS 1.2 (RFC 5246 6.2.3), the
	// longer one; libssl holds 1.3 to its own.
	recordLimit = 16384 + 2048

	recordAlert     = 21
	recordHandshake = 22
	// helloOfSSLv2 is what its ClientHello begins with; it gets an alert.
	helloOfSSLv2 = 0x80
)

// libssl is given whole records only, so that it holds neither ciphertext nor a
// buffer for it between two calls, and is not woken for a byte.

// wholeRecord gives the record that b begins with; nil when some of it is
// missing. Of one that is too long the header is enough: libssl refuses it by
// that.
func wholeRecord(b []byte) []byte {
	if len(b) < recordHeader {
		return nil
	}
	n := int(b[3])<<8 | int(b[4])
	if n > recordLimit {
		return b[:recordHeader]
	}
	if len(b) < recordHeader+n {
		return nil
	}
	return b[:recordHeader+n]
}

// wholeRecords gives all whole records at the beginning of b.
func wholeRecords(b []byte) []byte {
	n := 0
	for {
		r := wholeRecord(b[n:])
		if r == nil {
			return b[:n]
		}
		n += len(r)
		if len(r) == recordHeader {
			return b[:n] // too long, or empty: no need to look further
		}
	}
}

// notTLS looks at the first bytes of a peer, as many as there are, and tells
// what is wrong with them; nil when they can be the beginning of TLS. The first
// byte decides, so that nobody waits for a header that never comes.
func notTLS(b []byte, client bool) *tlsstate.Error {
	if len(b) == 0 {
		return nil
	}
	wrong := func(reason, format string, args ...any) *tlsstate.Error {
		return &tlsstate.Error{Blame: tlsstate.BlamePeer, Reason: reason, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case b[0] == recordHandshake || b[0] == recordAlert:
		if len(b) > 1 && b[1] != 3 {
			return wrong(tlsstate.ReasonNotTLS, "record version %d.x", b[1])
		}
		return nil
	case !printable(b[0]):
		return wrong(tlsstate.ReasonNotTLS, "first byte %#02x", b[0])
	case client:
		return wrong(tlsstate.ReasonPlainText, "the TLS server answers in %s", guess(b))
	default:
		return wrong(tlsstate.ReasonPlainText, "%s on a TLS port", guess(b))
	}
}

// guess names the protocol of a plain text, as far as its beginning tells.
func guess(b []byte) string {
	line, _, _ := bytes.Cut(b[:min(len(b), 512)], []byte("\n"))
	word, _, _ := bytes.Cut(line, []byte(" "))
	switch {
	case bytes.Contains(line, []byte("HTTP/1.")):
		return "plain HTTP"
	case bytes.Contains(line, []byte("SIP/2.0")):
		return "plain SIP"
	}
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

// alertRecord is a fatal alert in clear, as it is sent before anything is
// negotiated.
func alertRecord(code byte) []byte { return []byte{recordAlert, 3, 1, 0, 2, 2, code} }
