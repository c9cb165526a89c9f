package tlsstate_test

import (
	"errors"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

func TestPlainTextOnTLSPort(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	for _, c := range []struct{ says, reason, detail string }{
		{"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n", tlsstate.ReasonPlainText, "plain SIP"},
		{"INVITE sip:a", tlsstate.ReasonPlainText, "plain SIP"},
		{"SIP/2.0 200 OK\r\n", tlsstate.ReasonPlainText, "plain SIP"},
		{"\r\n\r\n", tlsstate.ReasonPlainText, "plain SIP"},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", tlsstate.ReasonPlainText, "plain HTTP"},
		{"OPTIONS * HTTP/1.1\r\n\r\n", tlsstate.ReasonPlainText, "plain HTTP"},
		{"GET /index.html", tlsstate.ReasonPlainText, "plain HTTP"},
		{"EHLO mail.example.com\r\n", tlsstate.ReasonPlainText, "plain text"},
		{"O", tlsstate.ReasonPlainText, "plain text"},
		{"\x00\x01\x02", tlsstate.ReasonNotTLS, "first byte"},
		{"\x17\x03\x03\x00\x10", tlsstate.ReasonNotTLS, "first byte"},
		{"\x16\x09\x00", tlsstate.ReasonNotTLS, "version 9"},
	} {
		m := newServer(t, set)
		m.Feed([]byte(c.says))
		e := wantError(t, m.Handshake(), tlsstate.BlamePeer, c.reason)
		if !strings.Contains(e.Detail, c.detail) {
			t.Errorf("%q: %v", c.says, e)
		}
		if len(m.Output()) > 0 {
			t.Errorf("%q was answered with %q", c.says, m.Output())
		}

		client := newClient(t, set, "sip.example.com")
		if err := client.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
			t.Fatal(err)
		}
		client.Feed([]byte(c.says))
		wantError(t, client.Handshake(), tlsstate.BlamePeer, c.reason)
	}
}

// The beginning of SSLv2's hello is answered with an alert.
func TestSSLv2(t *testing.T) {
	w := newWorld(t)
	m := newServer(t, w.set(t, nil))
	m.Feed([]byte{0x80, 0x03, 1, 0, 2})
	m.Handshake()
	m.Feed(make([]byte, 1000))
	wantError(t, m.Handshake(), tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
	if out := m.Output(); len(out) != 7 || out[6] != 70 {
		t.Errorf("answered with % x, want protocol_version", out)
	}
}

// A handshake that turns into text later is no plain-text client.
func TestGarbageInsideHandshake(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	server, client := &end{Machine: newServer(t, set)}, &end{Machine: newClient(t, set, "sip.example.com")}
	client.step(nil)
	carry(client, server, whole)
	server.step([]byte("GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 40000)))
	var e *tlsstate.Error
	if !errors.As(server.err, &e) || e.Blame != tlsstate.BlamePeer || e.Reason == tlsstate.ReasonPlainText {
		t.Fatal(server.err)
	}
}
