package hep

import (
	"crypto/x509"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// Kind is the word by which a collector knows what happened.
type Kind string

// The kinds of events.
const (
	Accepted  Kind = "ACCEPTED"  // a peer's connection is up, or failed before that
	Connected Kind = "CONNECTED" // one of ours is up, or failed before that
	Fault     Kind = "ERROR"     // something went wrong on a connection that was up
	Closed    Kind = "CLOSED"    // a connection that was up is gone
)

// keys are the keys of an event's object, in their order.
var keys = [...]string{"Protocol", "client-subject", "client-issuer", "server-subject", "server-issuer",
	"master-key", "Event", "Status", "Message", "Request", "Answer"}

// textLimit bounds each text of an event, in bytes, so that an event always
// fits into a packet.
const textLimit = 1024

// Event is one thing that happened to a connection, as it is told.
type Event struct {
	Kind   Kind
	Failed bool // Status FAILURE instead of SUCCESS
	Time   time.Time
	Source reactor.Source
	// Message says more, in English.
	Message string
	// TLS gives the certificates; nil for none. What the object calls client is
	// always the peer, and what it calls server always us, whoever connected.
	TLS *tlsstate.State
	// Secrets are the connection's secrets as lines of an NSS key log, whole
	// lines each with its end; "" to keep them.
	Secrets string
	// Request and Answer are the opening handshake of WebSocket; "" is none.
	Request, Answer string
}

// Style is how the payload of events is written. The zero value gives JSON.
type Style struct {
	// Homer5 gives the values alone, joined by Delimiter (":" if it is empty).
	Homer5    bool
	Delimiter string
}

// appendPayload appends the event's object, or its values. It is valid UTF-8
// whatever the texts are.
func (e *Event) appendPayload(dst []byte, style *Style) []byte {
	w := writer{dst: dst, style: style}
	w.add(0, e.Source.Proto.ViaName())
	if e.TLS != nil {
		var peer *x509.Certificate
		if len(e.TLS.Peer) > 0 {
			peer = e.TLS.Peer[0]
		}
		w.certificate(1, peer)
		w.certificate(3, e.TLS.Own)
	}
	if e.Secrets != "" {
		w.add(5, e.Secrets)
	}
	w.add(6, string(e.Kind))
	status := "SUCCESS"
	if e.Failed {
		status = "FAILURE"
	}
	w.add(7, status)
	w.add(8, clip(e.Message))
	if e.Request != "" {
		w.add(9, clip(e.Request))
		w.add(10, clip(e.Answer))
	}
	return w.end()
}

// writer writes keys and values, or the values alone.
type writer struct {
	dst   []byte
	style *Style
	some  bool
}

// add writes one value under the key of that number.
func (w *writer) add(key int, value string) {
	if w.style.Homer5 {
		if w.some {
			delimiter := w.style.Delimiter
			if delimiter == "" {
				delimiter = ":"
			}
			w.dst = append(w.dst, delimiter...)
		}
		w.dst = append(w.dst, strings.ToValidUTF8(value, "\uFFFD")...)
	} else {
		open := byte(',')
		if !w.some {
			open = '{'
		}
		w.dst = append(append(append(w.dst, open, '"'), keys[key]...), `":`...)
		w.dst = appendJSON(w.dst, value)
	}
	w.some = true
}

// certificate writes the names of a certificate, if there is one, under the
// key of that number and the next one.
func (w *writer) certificate(key int, c *x509.Certificate) {
	if c == nil {
		return
	}
	w.add(key, clip(oneLine(c.Subject)))
	w.add(key+1, clip(oneLine(c.Issuer)))
}

func (w *writer) end() []byte {
	if !w.style.Homer5 {
		w.dst = append(w.dst, '}')
	}
	return w.dst
}

// clip shortens a text to textLimit without cutting a character.
func clip(s string) string {
	if len(s) <= textLimit {
		return s
	}
	end := textLimit
	for end > textLimit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// appendJSON writes a JSON string (RFC 8259 7): what is no UTF-8 becomes
// U+FFFD.
func appendJSON(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s { // gives U+FFFD for what is no UTF-8
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20 || r == 0x7f:
			dst = append(dst, `\u00`...)
			if r < 0x10 {
				dst = append(dst, '0')
			}
			dst = strconv.AppendUint(dst, uint64(r), 16)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
