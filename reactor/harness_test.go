package reactor

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/logtest"
	"sipreactor/sipframe"
	"sipreactor/tlsstate"
)

// patience is how long a test waits for what must happen: far more than it
// takes on a busy machine.
const patience = 30 * time.Second

// script is a Handler made of functions; a nil one notes what it gets.
type script struct {
	message func(w *Worker, f *Frame)

	mu          sync.Mutex
	messages    []string
	malformed   []sipframe.Defect
	undelivered []string
	causes      []*Error
}

func (s *script) Message(w *Worker, f *Frame) {
	if s.message != nil {
		s.message(w, f)
		return
	}
	s.mu.Lock()
	s.messages = append(s.messages, string(f.Data))
	s.mu.Unlock()
}

func (s *script) Malformed(w *Worker, f *Frame, d sipframe.Defect) {
	s.mu.Lock()
	s.malformed = append(s.malformed, d)
	s.mu.Unlock()
	if d.Answerable {
		_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes("SIP/2.0 400 "+d.Reason+"\r\nContent-Length: 0\r\n\r\n"))
	}
}

func (s *script) Undelivered(_ *Worker, u *Undelivered) {
	s.mu.Lock()
	s.undelivered = append(s.undelivered, string(u.Data))
	s.causes = append(s.causes, u.Err)
	s.mu.Unlock()
}

func (s *script) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.messages...)
}

func (s *script) lost() ([]string, []*Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.undelivered...), append([]*Error(nil), s.causes...)
}

// echo answers each message with its own bytes.
func echo(w *Worker, f *Frame) {
	_, _ = w.Send(&Target{Conn: f.Src.Conn}, Bytes(f.Data))
}

// rig is an engine under test with what belongs to it.
type rig struct {
	testing.TB
	*Engine
	script *script
	seen   *journal
	log    *logtest.Log
	ca     *x509.CertPool
}

// generous makes timeouts that only a hang reaches; a test shortens the one it
// is about.
func generous(c *StreamConfig) {
	c.LocalConnectTimeout, c.LocalHandshakeTimeout = patience, patience
	c.HandshakeTimeout, c.SendTimeout = patience, patience
}

// identity is the certificate that every engine under test has and trusts.
var identity = sync.OnceValues(func() (pair [2][]byte, err error) {
	pair[0], pair[1], err = tlsstate.Ephemeral([]string{"localhost", "127.0.0.1"}, false)
	return pair, err
})

// rigs counts the engines that are up; what is counted for the whole process is
// checked when the last one is gone.
var rigs atomic.Int32

// socketsBefore is how many sockets the process had before the first of them.
var socketsBefore atomic.Int32

// start runs an engine with a TLS and a TCP socket on loopback, checks at the
// end that nothing is left of it.
func start(t testing.TB, s *script, change func(*Config)) *rig {
	t.Helper()
	return startWith(t, s, s, change)
}

// startWith is start with a Handler that a script is a part of.
func startWith(t testing.TB, h Handler, s *script, change func(*Config)) *rig {
	t.Helper()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, script: s, seen: &journal{}, log: &logtest.Log{}, ca: x509.NewCertPool()}
	r.ca.AppendCertsFromPEM(pair[0])
	cfg := DefaultConfig()
	generous(&cfg.TLS)
	generous(&cfg.TCP)
	generous(&cfg.WS)
	generous(&cfg.WSS)
	cfg.WS.Web.AcceptTimeout, cfg.WSS.Web.AcceptTimeout = 0, 0
	cfg.MaxMessageTime = patience
	cfg.halfClosedTime = time.Millisecond // handlers of tests send what is no response
	cfg.Sockets = []SocketConfig{
		{Proto: TLS, Addr: netip.MustParseAddrPort("127.0.0.1:0")},
		{Proto: TCP, Addr: netip.MustParseAddrPort("127.0.0.1:0")},
	}
	cfg.Domains = testDomains(t, pair[0], pair[1])
	cfg.Observer = r.seen
	cfg.Logger = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if change != nil {
		change(&cfg)
	}
	if rigs.Add(1) == 1 {
		socketsBefore.Store(int32(sockets()))
	}
	if r.Engine, err = New(cfg, h); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
		r.checkEmpty()
		if t.Failed() {
			t.Logf("log of the engine:\n%s", r.log)
		}
	})
	return r
}

// checkEmpty is the invariant at the end: connections in the table =
// descriptors open = machines alive = 0.
func (r *rig) checkEmpty() {
	r.Helper()
	if n := r.conns.Table.Len(); n != 0 {
		r.Errorf("%d connections are in the table", n)
	}
	if n := r.conns.Peers.Len(); n != 0 {
		r.Errorf("%d end points are known", n)
	}
	if n := r.conns.Inbound.Load(); n != 0 {
		r.Errorf("%d accepted connections are counted", n)
	}
	if rigs.Add(-1) > 0 {
		return
	}
	if n := liveMachines(); n != 0 {
		r.Errorf("%d TLS machines are alive", n)
	}
	if n := sipframe.LiveBuffers(); n != 0 {
		r.Errorf("%d buffers are held", n)
	}
	accepted.close()
	// What the test itself has open ends in its own time.
	for end := time.Now().Add(30 * time.Second); sockets() > int(socketsBefore.Load()) && rigs.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Errorf("%d sockets are open, %d were before", sockets(), socketsBefore.Load())
			return
		}
	}
}

// sockets counts the process's open sockets, descriptors by descriptor.
func sockets() (n int) {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, d := range dir {
		if to, err := os.Readlink("/proc/self/fd/" + d.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// addr is where the engine listens for a protocol.
func (r *rig) addr(p Proto) netip.AddrPort {
	for _, s := range r.Sockets() {
		if s.Proto == p {
			return s.Addr
		}
	}
	r.Fatalf("no %v socket", p)
	return netip.AddrPort{}
}

// dial connects a client of the standard library.
func (r *rig) dial(p Proto) net.Conn {
	r.Helper()
	c, err := net.Dial("tcp", r.addr(p).String())
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	if !p.Secure() {
		return c
	}
	tc := tls.Client(c, &tls.Config{RootCAs: r.ca, ServerName: "localhost", DynamicRecordSizingDisabled: true})
	if err := tc.Handshake(); err != nil {
		r.Fatalf("handshake: %v", err)
	}
	return tc
}

// eventually waits until a condition holds.
func (r *rig) eventually(what string, ok func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("never: %s", what)
		}
	}
}

// firstClose waits for a connection's end and gives its reason.
func (r *rig) firstClose() Reason {
	r.Helper()
	r.eventually("a close is told", func() bool { return len(r.seen.closes()) > 0 })
	return r.seen.closes()[0]
}

// bothProtos runs a test over TLS and over plain TCP: it is the same code.
func bothProtos(t *testing.T, f func(t *testing.T, p Proto)) {
	for _, p := range []Proto{TLS, TCP} {
		t.Run(p.String(), func(t *testing.T) { f(t, p) })
	}
}

// request makes a message.
func request(method, callID string, seq int, body string) string {
	return fmt.Sprintf("%s sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK%s%d\r\n"+
		"Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:b@127.0.0.1>\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"+
		"Content-Length: %d\r\n\r\n%s", method, callID, seq, callID, seq, method, len(body), body)
}

// readMessage reads one message of a stream; "" at its end.
func readMessage(r *bufio.Reader) (string, error) {
	var b strings.Builder
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return b.String(), err
		}
		b.WriteString(line)
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Content-Length") {
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		}
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	b.Write(body)
	return b.String(), err
}

// step is a step of a handshake that takes until it is let go.
type step chan struct{}

func (s step) Compute()  { <-s }
func (s step) Computed() {}

// holdHandshakers gives the pool n steps that end with a call of release.
func (r *rig) holdHandshakers(n int) (release func()) {
	s := make(step)
	for range n {
		r.handshakers.Submit(s)
	}
	return sync.OnceFunc(func() { close(s) })
}
