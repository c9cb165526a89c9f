package tlsstate_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"sipreactor/tlsstate"
)

// conversations are the ways in which two machines can meet.
var conversations = []struct {
	name   string
	change func(server, client *tlsstate.DomainConfig)
	check  func(server, client *tlsstate.State) error
}{
	{"1.3 mutual", nil, func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.3" || len(s.Peer) != 1 || !s.Verified || !c.Verified {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}},
	{"1.2 mutual", method("TLSv1_2"), func(s, c *tlsstate.State) error {
		if s.VersionName() != "TLSv1.2" || c.CipherName() != "ECDHE-ECDSA-AES128-GCM-SHA256" || len(s.Peer) != 1 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	}},
	{"1.3 server only", anonymous, func(s, c *tlsstate.State) error {
		if len(s.Peer) > 0 || s.Verified || !c.Verified || s.Verdict() != tlsstate.VerdictNone {
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
	{"1.2 without tickets", func(s, c *tlsstate.DomainConfig) {
		s.Method = "TLSv1_2"
		s.SessionTickets = no()
	}, nil},
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func method(s string) func(server, client *tlsstate.DomainConfig) {
	return func(server, _ *tlsstate.DomainConfig) { server.Method = s }
}

func anonymous(server, client *tlsstate.DomainConfig) {
	server.RequireCert = no()
	client.Certificates = nil
}

func TestMachinesMeet(t *testing.T) {
	w := newWorld(t)
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			for name, cut := range map[string]cutter{"whole": whole, "one byte": oneByte, "random": randomCuts(7)} {
				set := w.set(t, c.change)
				server, client := connected(t, set, "sip.example.com", cut)
				if s := server.State(); s.ServerName != "sip.example.com" || s.Domain != "in" || client.State().Domain != "out" {
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
}

// Cut at every byte of every flight: two parts each.
func TestEveryCut(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
		set := w.set(t, func(s, c *tlsstate.DomainConfig) {
			s.Method = m
			c.SessionTickets = no()
		})
		longest := 0
		connected(t, set, "sip.example.com", func(n int) int { longest = max(longest, n); return n })
		step := 1
		if testing.Short() || tlsstate.RaceDetector {
			step = 41
		}
		for at := 1; at < longest; at += step {
			cut := func(n int) int {
				if n > at {
					return at
				}
				return n
			}
			server, client := connected(t, set, "sip.example.com", cut)
			server.Stop()
			client.Stop()
		}
	}
}

// What a client says in the same breath as the end of its handshake is read.
func TestPlaintextBehindHandshake(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
		set := w.set(t, method(m))
		server, client := &end{Machine: newServer(t, set)}, &end{Machine: newClient(t, set, "sip.example.com")}
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
		if !bytes.Equal(server.in.Bytes(), append(append(text(600), text(600)...), text(600)...)) {
			t.Errorf("%s: %d bytes arrived", m, server.in.Len())
		}
	}
}

// The owner changes with every step.
func TestManyOwners(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	server, client := &end{Machine: newServer(t, set)}, &end{Machine: newClient(t, set, "sip.example.com")}
	elsewhere := func(f func()) {
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		<-done
	}
	elsewhere(func() { client.step(nil) })
	for len(client.Output())+len(server.Output()) > 0 {
		for _, dir := range [][2]*end{{client, server}, {server, client}} {
			if out := dir[0].Output(); len(out) > 0 {
				n := min(len(out), 100)
				part := bytes.Clone(out[:n])
				elsewhere(func() { dir[0].Sent(n) })
				elsewhere(func() { dir[1].step(part) })
			}
		}
	}
	if server.Phase() != tlsstate.Established || client.Phase() != tlsstate.Established {
		t.Fatal(server.err, client.err)
	}
}

func TestReadIntoLittle(t *testing.T) {
	w := newWorld(t)
	server, client := connected(t, w.set(t, nil), "sip.example.com", whole)
	for range 2 {
		if _, err := client.Write(text(1000)); err != nil {
			t.Fatal(err)
		}
	}
	server.Feed(client.Output())
	var got []byte
	p := make([]byte, 300)
	for {
		n, err := server.Read(p)
		got = append(got, p[:n]...)
		if errors.Is(err, tlsstate.ErrWantRead) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, append(text(1000), text(1000)...)) {
		t.Errorf("read %d bytes", len(got))
	}
}

// One record a call, in full-size records.
func TestRecords(t *testing.T) {
	w := newWorld(t)
	server, client := connected(t, w.set(t, nil), "sip.example.com", whole)
	if _, err := client.Write(text(40000)); err != nil {
		t.Fatal(err)
	}
	server.Feed(client.Output())
	p := make([]byte, 16384)
	for _, want := range []int{16384, 16384, 40000 - 2*16384} {
		if n, err := server.Read(p); n != want || err != nil {
			t.Fatalf("%d bytes, %v; want %d", n, err, want)
		}
	}
	if _, err := server.Read(p); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
}

func TestStopAnywhere(t *testing.T) {
	w := newWorld(t)
	set := w.set(t, nil)
	goroutines, machines := runtime.NumGoroutine(), tlsstate.LiveMachines()
	for steps := range 12 {
		server, client := &end{Machine: newServer(t, set)}, &end{Machine: newClient(t, set, "sip.example.com")}
		for range steps {
			client.step(nil)
			carry(client, server, func(n int) int { return min(n, 300) })
			carry(server, client, whole)
		}
		for _, m := range []*end{server, client} {
			m.Stop()
			m.Stop()
			if m.Phase() != tlsstate.Stopped {
				t.Fatal(m.Phase())
			}
			_, rerr := m.Read(make([]byte, 10))
			_, werr := m.Write([]byte("x"))
			for _, err := range []error{m.Handshake(), rerr, werr, m.CloseNotify()} {
				wantError(t, err, tlsstate.BlameUs, tlsstate.ReasonStopped)
			}
			m.Feed([]byte("x"))
			if len(m.Output()) > 0 || m.State() == nil {
				t.Fatal("a stopped machine still has something")
			}
		}
	}
	if n := tlsstate.LiveMachines(); n != machines {
		t.Errorf("%d machines are left", n-machines)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

func TestWrongPhase(t *testing.T) {
	w := newWorld(t)
	m := newServer(t, w.set(t, nil))
	if _, err := m.Read(make([]byte, 1)); err == nil {
		t.Fatal("read during the handshake")
	}
	_, err := m.Write([]byte("x"))
	wantError(t, err, tlsstate.BlameUs, tlsstate.ReasonWrongPhase)
	wantError(t, m.CloseNotify(), tlsstate.BlameUs, tlsstate.ReasonWrongPhase)
	if s := m.State(); s.Version != 0 || s.VersionName() != "" || s.CipherName() != "" {
		t.Fatalf("%+v", s)
	}
	if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
		t.Fatal(err)
	}
}

func TestHalfClosed(t *testing.T) {
	w := newWorld(t)
	server, client := connected(t, w.set(t, nil), "sip.example.com", whole)
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
		t.Fatalf("read %d bytes", server.in.Len())
	}
	if err := client.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	wire(client, server, whole)
	if server.err != io.EOF || server.Phase() != tlsstate.Closed {
		t.Fatal(server.err, server.Phase())
	}
}

// What was said before the goodbye arrives before the goodbye.
func TestLastWords(t *testing.T) {
	w := newWorld(t)
	server, client := connected(t, w.set(t, nil), "sip.example.com", whole)
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
}

func TestBrokenRecord(t *testing.T) {
	w := newWorld(t)
	for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
		server, client := connected(t, w.set(t, method(m)), "sip.example.com", whole)
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
}

func TestOversizedRecord(t *testing.T) {
	w := newWorld(t)
	server, _ := connected(t, w.set(t, nil), "sip.example.com", whole)
	server.step([]byte{23, 3, 3, 0xff, 0xff})
	wantError(t, server.err, tlsstate.BlamePeer, tlsstate.ReasonNotTLS)
}

func TestHandshakeTooLarge(t *testing.T) {
	w := newWorld(t)
	// A ClientHello in pieces of one byte that never ends.
	m := newServer(t, w.set(t, nil))
	record := []byte{22, 3, 1, 0, 1, 0}
	hello := []byte{1, 0, 0xff, 0xff}
	for i := range 1 << 20 {
		record[5] = 0
		if i < len(hello) {
			record[5] = hello[i]
		}
		m.Feed(record)
		if err := m.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
			wantError(t, err, tlsstate.BlamePeer, tlsstate.ReasonTooMuch)
			return
		}
	}
	t.Fatal("it goes on for ever")
}
