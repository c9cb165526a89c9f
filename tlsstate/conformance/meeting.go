package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// conversations are the ways in which two machines can meet.
var conversations = []struct {
	name   string
	change tlstest.Change
	check  func(server, client *tlsstate.State) error
}{
	{"1.3 mutual", nil, func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.3" || len(s.Peer) != 1 || !s.Verified || !c.Verified || s.Retried || c.Retried {
			return fmt.Errorf("%+v", s)
		}
		if s.Own.Subject.CommonName != "server" || c.Own.Subject.CommonName != "client" || c.Peer[0].Subject.CommonName != "server" || !c.Asked || s.Asked {
			return fmt.Errorf("own certificates: %v, %v", s.Own, c.Own)
		}
		return nil
	}},
	{"1.2 mutual", tlstest.Method("TLSv1_2"), func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.2" || !strings.HasPrefix(c.CipherName(), "ECDHE-ECDSA-") || s.Cipher != c.Cipher || len(s.Peer) != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}},
	{"1.3 server only", func(s, c *tlsstate.DomainConfig) { s.RequireCert, c.Certificates = tlstest.No(), nil }, func(s, c *tlsstate.State) error {
		if len(s.Peer) > 0 || s.Verified || !c.Verified || s.Verdict() != tlsstate.VerdictNone || c.Own != nil || !c.Asked {
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
	{"1.2 without tickets", func(s, c *tlsstate.DomainConfig) { s.Method, s.SessionTickets = "TLSv1_2", tlstest.No() }, nil},
	{"1.3 nobody is asked", func(s, c *tlsstate.DomainConfig) { s.VerifyCert = tlstest.No() }, func(s, c *tlsstate.State) error {
		if c.Own != nil || len(s.Peer) > 0 || c.Asked {
			return fmt.Errorf("%v was shown, asked: %t", c.Own, c.Asked)
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

func machinesMeet(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, c := range conversations {
			t.Run(c.name, func(t *testing.T) {
				for name, cut := range map[string]tlstest.Cutter{"whole": tlstest.Whole, "one byte": tlstest.OneByte, "random": tlstest.RandomCuts(7)} {
					server, client := p.Link(t, w, c.change).Connect(t, "sip.example.com", cut)
					if s := server.State(); s.ServerName != "sip.example.com" || s.Domain != "in" || client.State().Domain != "out" || !client.State().Client {
						t.Fatalf("%s: %+v", name, s)
					}
					if c.check != nil {
						if err := c.check(server.State(), client.State()); err != nil {
							t.Fatalf("%s: %v", name, err)
						}
					}
					for _, n := range []int{1, 600, 16384, 50000} {
						tlstest.Exchange(t, server, client, cut, tlstest.Text(n))
					}
					tlstest.Goodbye(t, client, server)
				}
			})
		}
	})
}

// Cut at every byte of every flight: two parts each.
func everyCut(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			l := p.Link(t, w, func(s, c *tlsstate.DomainConfig) { s.Method, c.SessionTickets = m, tlstest.No() })
			longest := 0
			l.Connect(t, "sip.example.com", func(n int) int { longest = max(longest, n); return n })
			step := 1
			if testing.Short() || tlstest.RaceDetector {
				step = 97
			}
			for at := 1; at < longest; at += step {
				server, client := l.Connect(t, "sip.example.com", func(n int) int { return min(n, at) })
				server.Stop()
				client.Stop()
			}
		}
	})
}

// What a client says in the same breath as the end of its handshake is read.
func plaintextBehindHandshake(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			l := p.Link(t, w, tlstest.Method(m))
			server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
			client.Step(nil)
			for client.Phase() == tlsstate.Handshaking {
				tlstest.Carry(client, server, tlstest.Whole)
				tlstest.Carry(server, client, tlstest.Whole)
			}
			for range 3 {
				if _, err := client.Write(tlstest.Text(600)); err != nil {
					t.Fatal(err)
				}
			}
			tlstest.Wire(client, server, tlstest.Whole)
			if !bytes.Equal(server.In.Bytes(), bytes.Repeat(tlstest.Text(600), 3)) {
				t.Errorf("%s: %d bytes arrived", m, server.In.Len())
			}
		}
	})
}

// One record a call, in full-size records, and in less than a record.
func records(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		server, client := p.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		if _, err := client.Write(tlstest.Text(40000)); err != nil {
			t.Fatal(err)
		}
		server.Feed(client.Output())
		for _, want := range []int{16384, 16384, 40000 - 2*16384} {
			if n, err := server.Read(server.Buffer()); n != want || err != nil {
				t.Fatalf("%d bytes, %v; want %d", n, err, want)
			}
		}
		if _, err := server.Read(server.Buffer()); err != tlsstate.ErrWantRead {
			t.Fatal(err)
		}
		client.Sent(len(client.Output()))
		for range 2 {
			if _, err := client.Write(tlstest.Text(1000)); err != nil {
				t.Fatal(err)
			}
		}
		server.Feed(client.Output())
		var got []byte
		for {
			n, err := server.Read(server.Buffer()[:300])
			got = append(got, server.Buffer()[:n]...)
			if err == tlsstate.ErrWantRead {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, bytes.Repeat(tlstest.Text(1000), 2)) {
			t.Errorf("read %d bytes", len(got))
		}
	})
}

// The owner changes with every step.
func manyOwners(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.each(t, func(t *testing.T, lib tlsstate.Library) {
		l := tlstest.Pairing{Server: lib, Client: lib}.Link(t, w, nil)
		server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
		elsewhere := func(f func()) {
			done := make(chan struct{})
			go func() { defer close(done); f() }()
			<-done
		}
		elsewhere(func() { client.Step(nil) })
		for len(client.Output())+len(server.Output()) > 0 {
			for _, dir := range [][2]*tlstest.End{{client, server}, {server, client}} {
				if out := dir[0].Output(); len(out) > 0 {
					part := bytes.Clone(out[:min(len(out), 100)])
					elsewhere(func() { dir[0].Sent(len(part)) })
					elsewhere(func() { dir[1].Step(part) })
				}
			}
		}
		if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established {
			t.Fatal(server.Err, client.Err)
		}
	})
}

func halfClosed(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
			server, client := p.Link(t, w, tlstest.Method(m)).Connect(t, "sip.example.com", tlstest.Whole)
			if err := server.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Write([]byte("x")); err == nil {
				t.Fatal("written after the goodbye")
			}
			tlstest.Wire(server, client, tlstest.Whole)
			// The peer may still write (RFC 8446 6.1), and we read it.
			if _, err := client.Write(tlstest.Text(50)); err != nil {
				t.Fatal(err)
			}
			tlstest.Wire(client, server, tlstest.Whole)
			if server.In.Len() != 50 {
				t.Fatalf("%s: read %d bytes", m, server.In.Len())
			}
			if err := client.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			tlstest.Wire(client, server, tlstest.Whole)
			if server.Err != io.EOF || server.Phase() != tlsstate.Closed {
				t.Fatal(server.Err, server.Phase())
			}
		}
	})
}

// What was said before the goodbye arrives before the goodbye.
func lastWords(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		server, client := p.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		if _, err := client.Write(tlstest.Text(700)); err != nil {
			t.Fatal(err)
		}
		if err := client.CloseNotify(); err != nil {
			t.Fatal(err)
		}
		tlstest.Wire(client, server, tlstest.Whole)
		if server.In.Len() != 700 || server.Err != io.EOF {
			t.Fatal(server.In.Len(), server.Err)
		}
	})
}

// Established, stopped and asked again: the state stays.
func stateOutlivesStop(t *testing.T, libs Libraries) {
	w := tlstest.NewWorld(t)
	libs.eachPairing(t, func(t *testing.T, p tlstest.Pairing) {
		server, client := p.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
		kept := client.State()
		for _, e := range []*tlstest.End{server, client} {
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
