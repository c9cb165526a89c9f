package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long what must be answered may take on a busy machine.
const patience = 30 * time.Second

// direct starts a server and says how a client reaches it without anything between.
func direct(t *testing.T, kind string) (*Server, Peer) {
	t.Helper()
	var serverCfg, clientCfg *tls.Config
	if kind != "" {
		ca, err := NewAuthority()
		if err != nil {
			t.Fatal(err)
		}
		if serverCfg, err = ca.ServerConfig(kind, "127.0.0.1"); err != nil {
			t.Fatal(err)
		}
		clientCfg = ca.ClientConfig()
	}
	s, err := Listen("127.0.0.1:0", serverCfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, Peer{Addr: s.Addr(), TLS: clientCfg}
}

func TestOptionsClosedLoop(t *testing.T) {
	s, peer := direct(t, "ecdsa")
	r, err := Options{Peer: peer, URI: s.URI(), Connections: 3, Window: 8, Count: 500, Duration: time.Minute, Timeout: patience}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Started != 500 || !r.Clean() || r.Latency.Count != 500 {
		t.Errorf("%v", r)
	}
	if st := s.Stats(); st.Connections != 3 || st.Requests["OPTIONS"] != 500 || len(st.Wrong) > 0 {
		t.Errorf("server: %+v", st)
	}
}

func TestOptionsFixedRate(t *testing.T) {
	s, peer := direct(t, "")
	r, err := Options{Peer: peer, Method: "MESSAGE", Body: "hello", URI: s.URI(), Connections: 2, Rate: 200, Duration: time.Second / 2, Timeout: patience}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Started != 100 || !r.Clean() {
		t.Errorf("%v", r)
	}
}

func TestCalls(t *testing.T) {
	for name, calls := range map[string]Calls{
		"closed loop": {Window: 4, Count: 200, Duration: time.Minute},
		"fixed rate":  {Rate: 200, Duration: time.Second / 2},
		"held":        {Rate: 100, Duration: time.Second / 4, Hold: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := direct(t, "ecdsa")
			calls.Peer, calls.URI, calls.Connections, calls.Timeout = peer, s.URI(), 2, patience
			r, err := calls.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			st := s.Stats()
			r.Seen(st)
			if !r.Clean() || r.Started == 0 || r.Latency.Count != r.Done || r.Phases["bye"].Count != r.Done {
				t.Errorf("%v", r)
			}
			if n := r.Started; st.Requests["INVITE"] != n || st.Requests["ACK"] != n || st.Requests["BYE"] != n {
				t.Errorf("server: %+v", st)
			}
		})
	}
}

func TestHandshakes(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			s, peer := direct(t, "ecdsa")
			peer.TLS.MaxVersion = version
			r, err := Handshakes{Peer: peer, URI: s.URI(), Resumed: resumed, Workers: 2, Rate: 100, Duration: time.Second / 5, Timeout: patience}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Started != 20 || !r.Clean() || r.Phases["connect"].Count != 20 || r.Phases["request"].Count != 20 {
				t.Errorf("resumed %v, version %x: %v", resumed, version, r)
			}
		}
	}
}

func TestIdle(t *testing.T) {
	s, peer := direct(t, "rsa")
	idle, err := OpenIdle(t.Context(), peer, s.URI(), 20, 4)
	if err != nil {
		t.Fatal(err)
	}
	if idle.Alive() != 20 {
		t.Errorf("%d alive", idle.Alive())
	}
	s.Close()
	idle.wg.Wait()
	if idle.Alive() != 0 {
		t.Errorf("%d alive without a server", idle.Alive())
	}
	idle.Close()
}

// fault is a server that answers each request by a script.
func fault(t *testing.T, answer func(request string, w io.Writer)) Peer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var request strings.Builder
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			request.WriteString(lines.Text() + "\r\n")
			if lines.Text() == "" {
				answer(request.String(), c)
				request.Reset()
			}
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return Peer{Addr: ln.Addr().String()}
}

func ok(request, status string) string {
	_, headers, _ := strings.Cut(request, "\r\n")
	return "SIP/2.0 " + status + "\r\n" + headers
}

func TestFaultsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		answer  func(request string, w io.Writer)
		timeout time.Duration // short only where it is waited for
		count   func(Result) int64
	}{
		"silence": {func(string, io.Writer) {}, time.Second / 5, func(r Result) int64 { return r.Lost }},
		"refusal": {func(q string, w io.Writer) { io.WriteString(w, ok(q, "503 No")) }, patience, func(r Result) int64 { return r.Failed }},
		"two vias": {func(q string, w io.Writer) {
			io.WriteString(w, strings.Replace(ok(q, "200 OK"), "\r\n", "\r\nVia: SIP/2.0/TCP x\r\n", 1))
		}, patience, func(r Result) int64 { return r.Failed }},
		"garbage": {func(q string, w io.Writer) { io.WriteString(w, "hello\r\n\r\n") }, patience, func(r Result) int64 { return r.Failed }},
		"wrong call": {func(q string, w io.Writer) {
			io.WriteString(w, strings.Replace(ok(q, "200 OK"), "Call-ID: ", "Call-ID: x", 1))
		}, 2 * time.Second, func(r Result) int64 { return min(r.Duplicated, r.Lost) }},
		"twice": {func(q string, w io.Writer) {
			io.WriteString(w, ok(q, "200 OK")+ok(q, "200 OK"))
		}, patience, func(r Result) int64 { return r.Duplicated }},
	} {
		t.Run(name, func(t *testing.T) {
			peer := fault(t, c.answer)
			// The second request keeps the connection open until a duplicate has come.
			r, err := Options{Peer: peer, URI: "sip:x", Rate: 20, Duration: 110 * time.Millisecond, Timeout: c.timeout}.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.count(r) == 0 || r.Clean() {
				t.Errorf("%v", r)
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	_, peer := direct(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Calls{Peer: peer, URI: "sip:x", Count: 1, Duration: time.Second}).Run(ctx); err == nil {
		t.Error("started with a context that is over")
	}
	if _, err := (Handshakes{Peer: peer}).Run(t.Context()); err == nil {
		t.Error("handshakes without TLS")
	}
}

func TestTally(t *testing.T) {
	tally := NewTally()
	for range 3 {
		tally.Fail("x")
	}
	for i := range 100 {
		tally.Fail(strings.Repeat("y", i))
	}
	tally.Latency.Record(time.Hour)
	r := tally.Result("test")
	if r.Failed != 103 || r.Reasons["x"] != 3 || len(r.Reasons) > 17 || r.Latency.Max < 59*time.Second {
		t.Errorf("%v", r)
	}
	r.Seen(ServerStats{Resent: 1, Repeated: 2, Wrong: map[string]int64{"z": 4}})
	if r.Retransmitted != 3 || r.Failed != 107 || r.Reasons["server: z"] != 4 {
		t.Errorf("%v", r)
	}
}
