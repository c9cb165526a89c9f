//go:build openssl

package openssl_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"sipreactor/tlsstate"
)

// conversations are the ways in which two machines can meet.
var conversations = []struct {
	name   string
	change change
	check  func(server, client *tlsstate.State) error
}{
	{"1.3 mutual", nil, func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.3" || len(s.Peer) != 1 || !s.Verified || !c.Verified || s.Retried || c.Retried {
			return fmt.Errorf("%+v", s)
		}
		if s.Own.Subject.CommonName != "server" || c.Own.Subject.CommonName != "client" || c.Peer[0].Subject.CommonName != "server" {
			return fmt.Errorf("own certificates: %v, %v", s.Own, c.Own)
		}
		return nil
	}},
	{"1.2 mutual", method("TLSv1_2"), func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.2" || !strings.HasPrefix(c.CipherName(), "ECDHE-ECDSA-") || s.Cipher != c.Cipher || len(s.Peer) != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}},
	{"1.3 server only", func(s, c *tlsstate.DomainConfig) { s.RequireCert, c.Certificates = no(), nil }, func(s, c *tlsstate.State) error {
		if len(s.Peer) > 0 || s.Verified || !c.Verified || s.Verdict() != tlsstate.VerdictNone || c.Own != nil {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}},
	{"1.3 hello retry", func(s, c *tlsstate.DomainConfig) { s.Curves = "P-384" }, func(s, c *tlsstate.State) error {
		if !s.Retried || !c.Retried {
			return errors.New("no HelloRetryRequest")
		}
		return nil
	}},
	{"1.2 without tickets", func(s, c *tlsstate.DomainConfig) { s.Method, s.SessionTickets = "TLSv1_2", no() }, nil},
	{"1.3 nobody is asked", func(s, c *tlsstate.DomainConfig) { s.VerifyCert = no() }, func(s, c *tlsstate.State) error {
		if c.Own != nil || len(s.Peer) > 0 {
			return fmt.Errorf("%v was shown", c.Own.Subject)
		}
		return nil
	}},
	{"1.0", func(s, c *tlsstate.DomainConfig) { s.Method, c.Method = "TLSv1", "TLSv1-TLSv1_3" }, func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1" {
			return errors.New(s.VersionName())
		}
		return nil
	}},
}

func method(s string) change {
	return func(server, _ *tlsstate.DomainConfig) { server.Method = s }
}

func TestMachinesMeet(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, c := range conversations {
			t.Run(c.name, func(t *testing.T) {
				for name, cut := range map[string]cutter{"whole": whole, "one byte": oneByte, "random": randomCuts(7)} {
					server, client := w.link(t, p, c.change).connect(t, "sip.example.com", cut)
					if s := server.State(); s.ServerName != "sip.example.com" || s.Domain != "in" || client.State().Domain != "out" || !client.State().Client {
						t.Fatalf("%s: %+v", name, s)
					}
					if c.check != nil {
						if err := c.check(server.State(), client.State()); err != nil {
							t.Fatalf("%s: %v", name, err)
						}
					}
					for _, n := range []int{1, 600, 16384, 50000} {
						exchange(t, server, client, cut, text(n))
					}
					goodbye(t, client, server)
				}
			})
		}
	})
}

// Cut at every byte of every flight: two parts each.
func TestEveryCut(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			l := w.link(t, p, func(s, c *tlsstate.DomainConfig) { s.Method, c.SessionTickets = m, no() })
			longest := 0
			l.connect(t, "sip.example.com", func(n int) int { longest = max(longest, n); return n })
			step := 1
			if testing.Short() || raceDetector {
				step = 97
			}
			for at := 1; at < longest; at += step {
				server, client := l.connect(t, "sip.example.com", func(n int) int { return min(n, at) })
				server.Stop()
				client.Stop()
			}
		}
	})
}

// What a client says in the same breath as the end of its handshake is read.
func TestPlaintextBehindHandshake(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			l := w.link(t, p, method(m))
			server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
			client.step(nil)
			for client.Phase() == tlsstate.Handshaking {
				carry(client, server, whole)
				carry(server, client, whole)
			}
			for range 3 {
				if _, err := client.Write(text(600)); err != nil {
					t.Fatal(err)
				}
			}
			wire(client, server, whole)
			if !bytes.Equal(server.in.Bytes(), bytes.Repeat(text(600), 3)) {
				t.Errorf("%s: %d bytes arrived", m, server.in.Len())
			}
		}
	})
}

// One record a call, in full-size records, and in less than a record.
func TestRecords(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		server, client := w.link(t, p, nil).connect(t, "sip.example.com", whole)
		if _, err := client.Write(text(40000)); err != nil {
			t.Fatal(err)
		}
		server.Feed(client.Output())
		for _, want := range []int{16384, 16384, 40000 - 2*16384} {
			if n, err := server.Read(server.buffer()); n != want || err != nil {
				t.Fatalf("%d bytes, %v; want %d", n, err, want)
			}
		}
		if _, err := server.Read(server.buffer()); err != tlsstate.ErrWantRead {
			t.Fatal(err)
		}
		client.Sent(len(client.Output()))
		for range 2 {
			if _, err := client.Write(text(1000)); err != nil {
				t.Fatal(err)
			}
		}
		server.Feed(client.Output())
		var got []byte
		for {
			n, err := server.Read(server.buffer()[:300])
			got = append(got, server.buffer()[:n]...)
			if err == tlsstate.ErrWantRead {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, bytes.Repeat(text(1000), 2)) {
			t.Errorf("read %d bytes", len(got))
		}
	})
}

// The owner changes with every step.
func TestManyOwners(t *testing.T) {
	w := newWorld(t)
	l := w.link(t, pairing{libssl, libssl}, nil)
	server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
	elsewhere := func(f func()) {
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		<-done
	}
	elsewhere(func() { client.step(nil) })
	for len(client.Output())+len(server.Output()) > 0 {
		for _, dir := range [][2]*end{{client, server}, {server, client}} {
			if out := dir[0].Output(); len(out) > 0 {
				part := bytes.Clone(out[:min(len(out), 100)])
				elsewhere(func() { dir[0].Sent(len(part)) })
				elsewhere(func() { dir[1].step(part) })
			}
		}
	}
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established {
		t.Fatal(server.err, client.err)
	}
}

func TestHalfClosed(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			server, client := w.link(t, p, method(m)).connect(t, "sip.example.com", whole)
			if err := server.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Write([]byte("x")); err == nil {
				t.Fatal("written after the goodbye")
			}
			wire(server, client, whole)
			// The peer may still write (RFC 8446 6.1), and we read it.
			if _, err := client.Write(text(50)); err != nil {
				t.Fatal(err)
			}
			wire(client, server, whole)
			if server.in.Len() != 50 {
				t.Fatalf("%s: read %d bytes", m, server.in.Len())
			}
			if err := client.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			wire(client, server, whole)
			if server.err != io.EOF || server.Phase() != tlsstate.Closed {
				t.Fatal(server.err, server.Phase())
			}
		}
	})
}

// What was said before the goodbye arrives before the goodbye.
func TestLastWords(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		server, client := w.link(t, p, nil).connect(t, "sip.example.com", whole)
		if _, err := client.Write(text(700)); err != nil {
			t.Fatal(err)
		}
		if err := client.CloseNotify(); err != nil {
			t.Fatal(err)
		}
		wire(client, server, whole)
		if server.in.Len() != 700 || server.err != io.EOF {
			t.Fatal(server.in.Len(), server.err)
		}
	})
}

// Established, stopped and asked again: the state stays.
func TestStateOutlivesStop(t *testing.T) {
	w := newWorld(t)
	eachPairing(t, func(t *testing.T, p pairing) {
		server, client := w.link(t, p, nil).connect(t, "sip.example.com", whole)
		kept := client.State()
		for _, e := range []*end{server, client} {
			e.Stop()
			if s := e.State(); s.VersionName() != "TLSv1.3" || !s.Verified || s.Verdict() != tlsstate.VerdictOK || len(s.Peer) == 0 {
				t.Errorf("%+v", s)
			}
		}
		if client.State() != kept {
			t.Error("another state")
		}
	})
}
