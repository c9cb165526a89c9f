package interop

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
)

// handshake is what is in the clear of one (RFC 8446 4.1, RFC 5246 7.4, RFC 8422 5.4).
type handshake struct {
	sni     string // "" none
	version uint16
	group   tls.CurveID // of the key exchange; 0 of a resumption without one
	retried bool        // by a HelloRetryRequest
	resumed bool
}

func (h handshake) String() string {
	return fmt.Sprintf("%s %v sni=%q retried=%t resumed=%t", tls.VersionName(h.version), h.group, h.sni, h.retried, h.resumed)
}

// Types of records, handshake messages and extensions.
const (
	recordChangeCipherSpec = 20
	recordHandshake        = 22

	clientHello       = 1
	serverHello       = 2
	certificate       = 11
	serverKeyExchange = 12

	extServerName        = 0
	extPreSharedKey      = 41
	extSupportedVersions = 43
	extKeyShare          = 51
)

// retryRandom is the random of a ServerHello that is a HelloRetryRequest.
var retryRandom = sha256.Sum256([]byte("HelloRetryRequest"))

var errShort = errors.New("too short")

// fields reads what has a length; short is sticky.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.short, f.b = true, nil
		return make([]byte, n)
	}
	taken := f.b[:n]
	f.b = f.b[n:]
	return taken
}

func (f *fields) u8() int             { return int(f.take(1)[0]) }
func (f *fields) u16() uint16         { return binary.BigEndian.Uint16(f.take(2)) }
func (f *fields) u24() int            { return f.u8()<<16 | int(f.u16()) }
func (f *fields) vector(n int) fields { return fields{b: f.take(n)} }

// readHandshake reads both directions from their beginning.
func readHandshake(asked, told []byte) (h handshake, err error) {
	client, server := messages(asked, false), messages(told, false)
	if len(client) == 0 || client[0].kind != clientHello || len(server) == 0 || server[0].kind != serverHello {
		return h, errors.New("no ClientHello, or no ServerHello")
	}
	if h.sni, err = readServerName(client[0].body); err != nil {
		return h, err
	}
	sawCertificate := false
	if retry, err := new(handshake).readServerHello(server[0].body); err == nil && retry {
		server = messages(told, true)
	}
	for _, m := range server {
		switch m.kind {
		case serverHello:
			retry, err := h.readServerHello(m.body)
			if err != nil {
				return h, err
			}
			h.retried = h.retried || retry
		case certificate:
			sawCertificate = true
		case serverKeyExchange: // curve type, named curve
			f := fields{b: m.body}
			f.u8()
			h.group = tls.CurveID(f.u16())
		}
	}
	if h.version < tls.VersionTLS13 {
		h.resumed = !sawCertificate
	}
	return h, nil
}

// readServerHello adds what one ServerHello says, and tells whether it is a HelloRetryRequest.
func (h *handshake) readServerHello(body []byte) (retry bool, err error) {
	f := fields{b: body}
	h.version = f.u16()
	retry = bytes.Equal(f.take(32), retryRandom[:])
	f.take(f.u8()) // session ID
	f.take(3)      // cipher suite, compression
	h.resumed = false
	for kind, body := range extensions(&f) {
		switch kind {
		case extSupportedVersions:
			h.version = body.u16()
		case extKeyShare:
			h.group = tls.CurveID(body.u16())
		case extPreSharedKey:
			h.resumed = true
		}
	}
	if f.short {
		return retry, fmt.Errorf("ServerHello: %w", errShort)
	}
	return retry, nil
}

func readServerName(body []byte) (string, error) {
	f := fields{b: body}
	f.take(2 + 32)       // version, random
	f.take(f.u8())       // session ID
	f.take(int(f.u16())) // cipher suites
	f.take(f.u8())       // compression
	name := ""
	for kind, body := range extensions(&f) {
		if kind == extServerName {
			body.take(3) // length of the list, type of the name
			name = string(body.take(int(body.u16())))
		}
	}
	if f.short {
		return "", fmt.Errorf("ClientHello: %w", errShort)
	}
	return name, nil
}

// extensions ranges over a hello's, which may have none.
func extensions(f *fields) func(yield func(kind uint16, body *fields) bool) {
	return func(yield func(uint16, *fields) bool) {
		if len(f.b) == 0 {
			return
		}
		list := f.vector(int(f.u16()))
		for len(list.b) > 0 {
			kind := list.u16()
			body := list.vector(int(list.u16()))
			if !yield(kind, &body) {
				return
			}
		}
		f.short = f.short || list.short
	}
}

// message is a handshake message.
type message struct {
	kind int
	body []byte
}

// messages are those in the clear at the beginning of a direction. In TLS 1.3 all behind the ServerHello is
// application data; in TLS 1.2 what comes behind ChangeCipherSpec is encrypted, and behind a HelloRetryRequest it
// means nothing.
func messages(stream []byte, retried bool) (list []message) {
	var clear []byte
	for f := (fields{b: stream}); len(f.b) > 0; {
		kind := f.u8()
		f.u16()
		body := f.take(int(f.u16()))
		if f.short || kind == recordChangeCipherSpec && !retried {
			break
		}
		if kind == recordHandshake {
			clear = append(clear, body...)
		}
	}
	for f := (fields{b: clear}); len(f.b) > 0; {
		m := message{kind: f.u8()}
		m.body = f.take(f.u24())
		if f.short {
			break
		}
		list = append(list, m)
	}
	return list
}
