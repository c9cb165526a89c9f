//go:build openssl

package openssl_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

func TestPlainText(t *testing.T) {
	w := newWorld(t)
	eachLibrary(t, func(t *testing.T, lib library) {
		l := w.link(t, pairing{lib, lib}, nil)
		for _, c := range []struct{ says, reason, detail string }{
			{"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n", tlsstate.ReasonPlainText, "plain SIP"},
			{"INVITE sip:a", tlsstate.ReasonPlainText, "plain SIP"},
			{"\r\n\r\n", tlsstate.ReasonPlainText, "plain SIP"},
			{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", tlsstate.ReasonPlainText, "plain HTTP"},
			{"EHLO mail.example.com\r\n", tlsstate.ReasonPlainText, "plain text"},
			{"O", tlsstate.ReasonPlainText, "plain text"},
			{"\x00\x01\x02", tlsstate.ReasonNotTLS, "first byte"},
			{"\x17\x03\x03\x00\x10", tlsstate.ReasonNotTLS, "first byte"},
			{"\x16\x09\x00", tlsstate.ReasonNotTLS, "version 9"},
		} {
			server := newServer(t, l.server)
			server.step([]byte(c.says))
			e := wantError(t, server.err, tlsstate.BlamePeer, c.reason)
			if !strings.Contains(e.Detail, c.detail) || len(server.Output()) > 0 {
				t.Errorf("%q: %v, answered with %q", c.says, e, server.Output())
			}
			client := newClient(t, l.client, "sip.example.com")
			client.step(nil)
			client.step([]byte(c.says))
			wantError(t, client.err, tlsstate.BlamePeer, c.reason)
		}
		// The beginning of SSLv2's hello is answered with an alert.
		server := newServer(t, l.server)
		server.step(append([]byte{0x80, 0x03, 1, 0, 2}, make([]byte, 1000)...))
		wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
		if out := server.Output(); len(out) != 7 || out[6] != 70 {
			t.Errorf("answered with % x, want protocol_version", out)
		}
	})
}

// A handshake that turns into text later is no plain-text client.
func TestGarbageInsideHandshake(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		l := w.link(t, p, nil)
		server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
		client.step(nil)
		carry(client, server, whole)
		server.step([]byte("GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 40000)))
		var e *tlsstate.Error
		if !errors.As(server.err, &e) || e.Blame != tlsstate.BlamePeer || e.Reason == tlsstate.ReasonPlainText {
			t.Fatal(server.err)
		}
	})
}

func TestBrokenRecord(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			server, client := w.link(t, p, method(m)).connect(t, "sip.example.com", whole)
			if _, err := client.Write(text(100)); err != nil {
				t.Fatal(err)
			}
			out := bytes.Clone(client.Output())
			client.Sent(len(out))
			out[20] ^= 1
			server.step(out)
			wantError(t, server.err, tlsstate.BlamePeer, "alert sent: bad_record_mac")
			if server.Phase() != tlsstate.Failed || len(server.Output()) == 0 {
				t.Fatal("no alert")
			}
			wire(server, client, whole)
			wantError(t, client.err, tlsstate.BlamePeer, "alert received: bad_record_mac")
		}
	})
}

func TestOversizedRecord(t *testing.T) {
	w := newWorld(t)
	eachLibrary(t, func(t *testing.T, lib library) {
		server, _ := w.link(t, pairing{lib, lib}, nil).connect(t, "sip.example.com", whole)
		server.step([]byte{23, 3, 3, 0xff, 0xff})
		wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
	})
}

// A ClientHello in pieces of one byte that never ends.
func TestHandshakeTooLarge(t *testing.T) {
	w := newWorld(t)
	eachLibrary(t, func(t *testing.T, lib library) {
		server := newServer(t, w.link(t, pairing{lib, lib}, nil).server)
		hello := []byte{1, 0, 0xff, 0xff}
		for i := 0; i < 1<<20 && server.err == nil; i++ {
			record := []byte{22, 3, 1, 0, 1, 0}
			if i < len(hello) {
				record[5] = hello[i]
			}
			server.step(record)
		}
		wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonTooMuch)
	})
}

// Nothing in common is told by kind.
func TestNothingInCommon(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, c := range []struct {
			name, reason string
			change       change
		}{
			{"version", tlsstate.ReasonVersion, func(s, c *tlsstate.DomainConfig) { s.Method, c.Method = "TLSv1_3", "TLSv1_2" }},
			{"cipher", tlsstate.ReasonCipher, func(s, c *tlsstate.DomainConfig) {
				s.Method = "TLSv1_2"
				s.Ciphers, c.Ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
			}},
			{"group", tlsstate.ReasonGroup, func(s, c *tlsstate.DomainConfig) { s.Curves, c.Curves = "P-256", "P-384" }},
		} {
			server, client := w.link(t, p, c.change).meet(t, "sip.example.com", whole)
			wantError(t, server.err, tlsstate.BlamePeer, c.reason)
			var e *tlsstate.Error
			if !errors.As(client.err, &e) || !strings.HasPrefix(e.Reason, "alert received: ") || e.Blame != tlsstate.BlamePeer {
				t.Errorf("%s: the client heard %v", c.name, client.err)
			}
		}
	})
}

// inPhase makes a server machine in each phase.
var inPhase = map[tlsstate.Phase]func(t *testing.T, l link) *end{
	tlsstate.Handshaking: func(t *testing.T, l link) *end { return newServer(t, l.server) },
	tlsstate.Established: func(t *testing.T, l link) *end {
		server, _ := l.connect(t, "sip.example.com", whole)
		return server
	},
	tlsstate.Closing: func(t *testing.T, l link) *end {
		server, _ := l.connect(t, "sip.example.com", whole)
		_ = server.CloseNotify()
		return server
	},
	tlsstate.PeerClosed: func(t *testing.T, l link) *end {
		server, client := l.connect(t, "sip.example.com", whole)
		_ = client.CloseNotify()
		wire(client, server, whole)
		return server
	},
	tlsstate.Closed: func(t *testing.T, l link) *end {
		server, client := l.connect(t, "sip.example.com", whole)
		goodbye(t, client, server)
		return server
	},
	tlsstate.Failed: func(t *testing.T, l link) *end {
		server := newServer(t, l.server)
		server.step([]byte("GET / HTTP/1.0\r\n\r\n"))
		return server
	},
	tlsstate.Stopped: func(t *testing.T, l link) *end {
		server, _ := l.connect(t, "sip.example.com", whole)
		server.Stop()
		return server
	},
}

// Every call in every phase answers the same in both libraries.
func TestEveryCallInEveryPhase(t *testing.T) {
	answer := func(err error) string {
		var e *tlsstate.Error
		switch {
		case err == nil:
			return "fine"
		case errors.As(err, &e):
			return e.Blame.String() + ": " + e.Reason
		default:
			return err.Error()
		}
	}
	w := newWorld(t)
	for phase, enter := range inPhase {
		t.Run(phase.String(), func(t *testing.T) {
			var answers [2][5]string
			for i, lib := range libraries {
				m := enter(t, w.link(t, pairing{lib, lib}, nil))
				if m.Phase() != phase {
					t.Fatal(lib.name, m.Phase())
				}
				got := &answers[i]
				got[0] = answer(m.Handshake())
				_, err := m.Read(m.buffer())
				got[1] = answer(err)
				_, err = m.Write([]byte("x"))
				got[2] = answer(err)
				got[3] = answer(m.CloseNotify())
				got[4] = m.Phase().String()
				m.Sent(len(m.Output()))
				if m.State() == nil || len(m.Output()) > 0 {
					t.Error("no state, or output that was sent is still there")
				}
				m.Feed([]byte{1})
				m.Stop()
				m.Stop()
				if m.Phase() != tlsstate.Stopped || m.Output() != nil {
					t.Error("not stopped")
				}
			}
			if answers[0] != answers[1] {
				t.Errorf("%s: %q, %s: %q", libraries[0].name, answers[0], libraries[1].name, answers[1])
			}
		})
	}
}

// Both ends stopped after each number of steps; the leak check of TestMain and
// the race detector's allocator look on.
func TestStopAnywhere(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		l := w.link(t, p, nil)
		for steps := range 40 {
			server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
			left := steps
			wire(client, server, func(n int) int {
				if left--; left == 0 {
					server.Stop()
					client.Stop()
				}
				return min(n, 150)
			})
		}
	})
}

// A stream whose end is cut off is not an orderly end.
func TestNothingAfterFailure(t *testing.T) {
	w := newWorld(t)
	server, client := w.link(t, pairing{libssl, libssl}, nil).connect(t, "sip.example.com", whole)
	server.step([]byte{99, 3, 3, 0, 1, 0})
	first := server.err
	server.err = nil
	if _, err := server.Read(server.buffer()); err == io.EOF || !errors.Is(err, first) {
		t.Error(err)
	}
	client.Stop()
}
