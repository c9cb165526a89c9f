package reactor

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/peek"
)

// relay forwards requests to the address as datagrams, and responses to who
// asked last. It owes nothing by itself.
type relay struct {
	script
	to, asker *netip.AddrPort
}

func (r *relay) Owes() int { return 0 }

func newRelay(to netip.AddrPort) *relay {
	r := &relay{to: &to, asker: new(netip.AddrPort)}
	var back Handle
	r.message = func(w *Worker, f *Frame) {
		if peek.IsResponse(f.Data) {
			_, _ = w.Send(&Target{Conn: back, Proto: UDP, Addr: *r.asker, Class: Final}, Bytes(f.Data))
			return
		}
		*r.asker, back = f.Src.Remote, f.Src.Conn
		_, _ = w.Send(&Target{Proto: UDP, Addr: *r.to, Class: NewRequest}, Bytes(f.Data))
	}
	return r
}

func withUDP(c *Config) {
	c.Workers = 1
	c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
}

func packets(t *testing.T) *net.UDPConn {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// A request that went on as a datagram is under way until its response has come,
// whatever it came by.
func TestDrainWaitsForDatagrams(t *testing.T) {
	for _, by := range []Proto{UDP, TCP} {
		t.Run(by.String(), func(t *testing.T) {
			hop := packets(t)
			h := newRelay(hop.LocalAddr().(*net.UDPAddr).AddrPort())
			r := startWith(t, h, &h.script, withUDP)
			network := "tcp"
			if by == UDP {
				network = "udp"
			}
			client, err := net.Dial(network, r.addr(by).String())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			_ = client.SetDeadline(time.Now().Add(patience))
			_, _ = client.Write([]byte(request("MESSAGE", "x", 1, "")))
			buf := make([]byte, 2000)
			_, at, err := hop.ReadFrom(buf)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- r.Drain(context.Background()) }()
			select {
			case err := <-done:
				t.Fatalf("drained: %v", err)
			case <-time.After(20 * drainLook):
			}
			if what := r.underWay(); !strings.Contains(what, "1 requests without an answer") {
				t.Errorf("under way: %s", what)
			}
			_, _ = hop.WriteTo([]byte("SIP/2.0 200 OK\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n"), at)
			if m, err := readMessage(bufio.NewReader(client)); err != nil || !strings.HasPrefix(m, "SIP/2.0 200") {
				t.Errorf("%q, %v", m, err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// dropper answers nothing, and owes nothing either.
type dropper struct{ script }

func (*dropper) Owes() int { return 0 }

// What the Handler has left unanswered, and nothing can answer any more, holds up
// no draining; unless the Handler does not tell what it owes.
func TestDrainKnowsWhatCannotCome(t *testing.T) {
	drop := &dropper{}
	silent := &script{}
	for h, s := range map[Handler]*script{drop: &drop.script, silent: silent} {
		r := startWith(t, h, s, nil)
		c := r.dial(TCP)
		_, _ = c.Write([]byte(request("MESSAGE", "x", 1, "")))
		r.eventually("it has come", func() bool { return len(s.got()) == 1 })
		limit := patience
		if h == Handler(silent) {
			limit = 10 * drainLook
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if err := r.Drain(ctx); (err != nil) != (h == Handler(silent)) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%T: %v", h, err)
		}
		cancel()
	}
}

// impatient forwards requests to an address and answers them itself.
type impatient struct {
	script
	to netip.AddrPort
}

func (*impatient) Owes() int { return 0 }

func (i *impatient) Message(w *Worker, f *Frame) {
	_, _ = w.Send(&Target{Proto: TCP, Addr: i.to, Class: NewRequest}, Bytes(f.Data))
	_, _ = w.Send(&Target{Conn: f.Src.Conn, Proto: f.Src.Proto, Addr: f.Src.Remote, Class: Final},
		Bytes("SIP/2.0 504 No Answer\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n"))
}

// A request whose client has its answer, by a transaction that waited no longer, or is gone, holds up no draining,
// though the next hop may still answer it; nor does a probe of a destination that is left alone.
func TestDrainWaitsForNoOtherAnswer(t *testing.T) {
	h := &impatient{to: accepting(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 3000)) })}
	r := startWith(t, h, &h.script, withUDP)
	stays := r.dial(TCP)
	_, _ = stays.Write([]byte(request("MESSAGE", "x", 1, "")))
	if m, err := readMessage(bufio.NewReader(stays)); err != nil || !strings.HasPrefix(m, "SIP/2.0 504") {
		t.Fatalf("%q, %v", m, err)
	}
	r.eventually("it is written, too", func() bool { return r.Stats().Unanswered > 0 })
	r.dialer.Probe(&Target{Proto: TLS, Addr: silent(t)})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.Drain(ctx); err != nil {
		t.Error(err)
	}
}
