package flow

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/connection/connectiontest"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/poller/pollertest"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/tcptest"
	"sipreactor/reactor/internal/transport"
	"sipreactor/sipframe"
)

// rig is a flow without an engine and without a loop: its connections are ends of TCP
// connections whose other ends the test has, it is told by the test what a loop would tell
// it, and its clock is the test's: limits are longer than any test takes.
type rig struct {
	*testing.T
	Flow
	*connectiontest.Fates
	all    connection.Common
	config transport.StreamConfig
	loop   *pollertest.Loop

	messages, malformed []string // since they were taken
	dispatched, stirred int
	computing           []*connection.Conn
	crashes             []any
	paused              []*connection.Conn
	answersWait         bool          // what was noted last
	noted               func()        // called behind that; nil: nothing is
	asked               atomic.Uint32 // what the loop was asked to do
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, config: transport.StreamConfig{CRLFPingPong: true, MaxChunks: 4, Async: true, MaxPostponed: 8,
		HandshakeTimeout: time.Hour, SendTimeout: time.Hour}}
	r.Fates = connectiontest.Start(t, &r.all)
	r.loop = pollertest.Hold(t, sockets{r: r})
	r.Start(&r.all, r)
	return r
}

// sockets is the rig as its loop knows it.
type sockets struct {
	poller.LoopHandler // nothing else comes
	r                  *rig
}

func (s sockets) Closed(x *poller.Socket, err error) {
	s.r.SocketCloses(x.Owner.(*connection.Conn), err)
}

// The rig is its flow's program.

func (r *rig) Post(_ *connection.Conn, what uint32) { r.asked.Or(what) }
func (r *rig) Message(_ *connection.Conn, data []byte) {
	r.messages = append(r.messages, string(data))
}
func (r *rig) Malformed(_ *connection.Conn, data []byte, _ *sipframe.Defect) {
	r.malformed = append(r.malformed, string(data))
}
func (r *rig) Dispatch(*connection.Conn)  { r.dispatched++ }
func (r *rig) Compute(c *connection.Conn) { r.computing = append(r.computing, c) }
func (r *rig) Stirred()                   { r.stirred++ }
func (r *rig) AnswersWait(_ *connection.Conn, wait bool) {
	if r.answersWait = wait; r.noted != nil {
		r.noted()
	}
}
func (r *rig) Pause(c *connection.Conn)        { r.paused = append(r.paused, c) }
func (r *rig) Crashed(p any, _ netip.AddrPort) { r.crashes = append(r.crashes, p) }
func (r *rig) Salvage()                        {}

// later lets time pass.
func (r *rig) later(d time.Duration) { r.all.Born = r.all.Born.Add(-d) }

// accepted returns a connection of a peer's that begins with a codec.
func (r *rig) accepted(k codec.Codec) (*connection.Conn, *net.TCPConn) {
	r.Helper()
	fd, peer := tcptest.Pair(r)
	return r.takenIn(k, fd, peer), peer
}

// takenIn is accepted for one end of a connection whose other end is the peer's.
func (r *rig) takenIn(k codec.Codec, fd int, peer *net.TCPConn) *connection.Conn {
	c := &connection.Conn{Common: &r.all, Loop: r, Config: &r.config, Born: time.Now()}
	c.Own.Sock.Owner = c
	r.loop.Give(r, &c.Own.Sock, fd)
	c.Src = message.Source{Proto: transport.TCP, Remote: peer.LocalAddr().(*net.TCPAddr).AddrPort()}
	if c.Begin(phase.Established); isShaker(k) {
		c.Src.Proto = transport.TLS
		c.Begin(phase.Handshaking)
	}
	if r.all.Table.Add(c) == 0 {
		r.Fatal("there is no room for a connection")
	}
	r.all.Inbound.Add(1)
	r.all.Peers.Add(c)
	r.Idle.Put(c, r.Seconds.Load()+r.all.Limits.Lifetime)
	r.Begin(c, k)
	r.Cleanup(func() {
		if c.At() != phase.Closed {
			r.Close(c, reason.Because(reason.ClosedByManagement, ""))
		}
	})
	return c
}

func isShaker(k codec.Codec) bool { _, ok := k.(codec.Shaker); return ok }

// plain is accepted for plain TCP.
func (r *rig) plain() (*connection.Conn, *net.TCPConn) { return r.accepted(&codec.Plain{}) }

// taken returns what messages came since the last time.
func (r *rig) taken() (list []string) {
	list, r.messages = r.messages, nil
	return list
}

// endsAs checks that a connection has ended for a reason, and returns its words.
func (r *rig) endsAs(c *connection.Conn, want reason.Reason) string {
	r.Helper()
	ended := r.Ended()
	if c.At() != phase.Closed || len(ended) != 1 || ended[0].Reason != want {
		r.Fatalf("it is %v, and %v have ended; want one end: %v", c.At(), ended, want)
	}
	return ended[0].Error()
}

// lives checks that a connection goes on.
func (r *rig) lives(c *connection.Conn, when string) {
	r.Helper()
	if c.At() >= phase.Closing {
		r.Fatalf("%s it has ended: %v", when, c.Why())
	}
}

// reads has the peer read until it has a text, or the stream has ended.
func (r *rig) reads(peer net.Conn, want string) {
	r.Helper()
	var got strings.Builder
	b := make([]byte, 64<<10)
	_ = peer.SetReadDeadline(time.Now().Add(30 * time.Second))
	for got.Len() < len(want) {
		n, err := peer.Read(b)
		got.Write(b[:n])
		if err != nil {
			break
		}
	}
	if got.String() != want {
		r.Fatalf("the peer reads %q, want %q", got.String(), want)
	}
}

// request and response are messages of a transaction.
func request(method, branch, body string) string {
	return text(method+" sip:a@b SIP/2.0", method, branch, body)
}
func response(code, method, branch string) string {
	return text("SIP/2.0 "+code+" x", method, branch, "")
}

func text(first, method, branch, body string) string {
	return strings.Join([]string{first, "Via: SIP/2.0/TCP h;branch=z9hG4bK" + branch, "CSeq: 1 " + method, "Call-ID: " + branch,
		"Content-Length: " + strconv.Itoa(len(body)), "", body}, "\r\n")
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
