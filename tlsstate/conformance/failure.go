package conformance

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

func plainText(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		l := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil)
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
			server := tlstest.NewServer(t, l.Server)
			server.Step([]byte(c.says))
			e := tlstest.WantError(t, server.Err, tlsstate.BlamePeer, c.reason)
			if !strings.Contains(e.Detail, c.detail) || len(server.Output()) > 0 {
				t.Errorf("%q: %v, answered with %q", c.says, e, server.Output())
			}
			client := tlstest.NewClient(t, l.Client, "sip.example.com")
			client.Step(nil)
			client.Step([]byte(c.says))
			tlstest.WantError(t, client.Err, tlsstate.BlamePeer, c.reason)
		}
		// The beginning of SSLv2's hello is answered with an alert.
		server := tlstest.NewServer(t, l.Server)
		server.Step(append([]byte{0x80, 0x03, 1, 0, 2}, make([]byte, 1000)...))
		tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
		if out := server.Output(); len(out) != 7 || out[6] != 70 {
			t.Errorf("answered with % x, want protocol_version", out)
		}
	})
}

// A handshake that turns into text later is no plain-text client.
func garbageInsideHandshake(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, nil)
		server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
		client.Step(nil)
		tlstest.Carry(client, server, tlstest.Whole)
		server.Step([]byte("GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 40000)))
		var e *tlsstate.Error
		if !errors.As(server.Err, &e) || e.Blame != tlsstate.BlamePeer || e.Reason == tlsstate.ReasonPlainText {
			t.Fatal(server.Err)
		}
	})
}

func brokenRecord(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			server, client := p.Link(t, w, tlstest.Method(m)).Connect(t, "sip.example.com", tlstest.Whole)
			if _, err := client.Write(tlstest.Text(100)); err != nil {
				t.Fatal(err)
			}
			out := bytes.Clone(client.Output())
			client.Sent(len(out))
			out[20] ^= 1
			server.Step(out)
			tlstest.WantError(t, server.Err, tlsstate.BlamePeer, "alert sent: bad_record_mac")
			if server.Phase() != tlsstate.Failed || len(server.Output()) == 0 {
				t.Fatal("no alert")
			}
			tlstest.Wire(server, client, tlstest.Whole)
			tlstest.WantError(t, client.Err, tlsstate.BlamePeer, "alert received: bad_record_mac")
		}
	})
}

func oversizedRecord(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		server, _ := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		server.Step([]byte{23, 3, 3, 0xff, 0xff})
		tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
	})
}

// A ClientHello in pieces of one byte that never ends.
func handshakeTooLarge(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		server := tlstest.NewServer(t, tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil).Server)
		hello := []byte{1, 0, 0xff, 0xff}
		for i := 0; i < 1<<20 && server.Err == nil; i++ {
			record := []byte{22, 3, 1, 0, 1, 0}
			if i < len(hello) {
				record[5] = hello[i]
			}
			server.Step(record)
		}
		tlstest.WantError(t, server.Err, tlsstate.BlamePeer, tlsstate.ReasonTooMuch)
	})
}

// A chain of certificates that never ends is too much, whoever sends it.
func hugeChain(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	big := w.CA.Leaf(t, tlstest.Leaf{CN: "client", DNS: []string{"client.example.com"}})
	for range 1000 {
		big.Chain = append(big.Chain, w.Server.Cert)
	}
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		l := tlstest.Pairing{Server: lib, Client: tlstest.GoLibrary}.Link(t, w, func(_, c *tlsstate.DomainConfig) {
			c.Certificates = []tlsstate.KeyPair{big.KeyPair()}
		})
		server, _ := l.Meet(t, "sip.example.com", tlstest.Whole)
		var e *tlsstate.Error
		if !errors.As(server.Err, &e) || e.Blame != tlsstate.BlamePeer {
			t.Fatal(server.Err)
		}
		t.Log(e)
	})
}

// Nothing in common is told by kind.
func nothingInCommon(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, c := range []struct {
			name, reason string
			change       tlstest.Change
		}{
			{"version", tlsstate.ReasonVersion, func(s, c *tlsstate.DomainConfig) { s.Method, c.Method = "TLSv1_3", "TLSv1_2" }},
			{"cipher", tlsstate.ReasonCipher, func(s, c *tlsstate.DomainConfig) {
				s.Method = "TLSv1_2"
				s.Ciphers, c.Ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
			}},
			{"group", tlsstate.ReasonGroup, func(s, c *tlsstate.DomainConfig) { s.Curves, c.Curves = "P-256", "P-384" }},
		} {
			server, client := p.Link(t, w, c.change).Meet(t, "sip.example.com", tlstest.Whole)
			tlstest.WantError(t, server.Err, tlsstate.BlamePeer, c.reason)
			var e *tlsstate.Error
			if !errors.As(client.Err, &e) || !strings.HasPrefix(e.Reason, "alert received: ") || e.Blame != tlsstate.BlamePeer {
				t.Errorf("%s: the client heard %v", c.name, client.Err)
			}
		}
	})
}

// Both ends stopped after each number of steps; the leak check of TestMain and
// the race detector's allocator look on.
func stopAnywhere(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		l := p.Link(t, w, nil)
		for steps := range 40 {
			server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
			left := steps
			tlstest.Wire(client, server, func(n int) int {
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
func nothingAfterFailure(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		server, client := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		server.Step([]byte{99, 3, 3, 0, 1, 0})
		first := server.Err
		server.Err = nil
		if _, err := server.Read(server.Buffer()); err == io.EOF || !errors.Is(err, first) {
			t.Error(err)
		}
		client.Stop()
	})
}
