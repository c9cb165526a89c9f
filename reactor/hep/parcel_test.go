package hep

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/internal/waittest"
)

func TestLocalOf(t *testing.T) {
	local, listener := netip.MustParseAddrPort("192.0.2.1:5000"), netip.MustParseAddrPort("192.0.2.2:5061")
	socket := &reactor.Socket{Addr: listener}
	for _, c := range []struct {
		src  reactor.Source
		want string
	}{
		{reactor.Source{Local: local, Socket: socket}, "192.0.2.1:5000"},
		{reactor.Source{Local: local, Outbound: true}, "192.0.2.1:5000"},
		{reactor.Source{Socket: socket}, "192.0.2.2:5061"},
		{reactor.Source{Socket: socket, Outbound: true}, "192.0.2.2:0"},
		{reactor.Source{Outbound: true}, "invalid AddrPort"},
	} {
		if got := localOf(&c.src).String(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.src, got, c.want)
		}
	}
}

func TestProtocolOf(t *testing.T) {
	for p, want := range map[reactor.Proto]byte{reactor.UDP: 17, reactor.TCP: 6, reactor.TLS: 22, 0: 0} {
		if got := protocolOf(p); got != want {
			t.Errorf("%v: %d", p, got)
		}
	}
}

// The largest SIP message goes into a datagram, without its end.
func TestLargestMessageOverUDP(t *testing.T) {
	c := collect(t, UDP, nil)
	s := send(t, c.dest, nil)
	tracer := New(Config{SIP: SIP{On: true, IDs: only(s)}, AuthKey: "key"})
	message := strings.Repeat("x", 65535)
	traceMessage(tracer, source(1, false), []byte(message), false)
	p := c.await(1)[0]
	if len(p.Payload) < 65300 || !strings.HasPrefix(message, string(p.Payload)) || string(p.AuthKey) != "key" {
		t.Errorf("%d bytes arrive, key %q", len(p.Payload), p.AuthKey)
	}
}

// narrow is a connection on whose path no long datagram fits.
type narrow struct {
	net.Conn
	limit int
}

func (n narrow) Write(p []byte) (int, error) {
	if len(p) > n.limit {
		return 0, &net.OpError{Op: "write", Err: syscall.EMSGSIZE}
	}
	return n.Conn.Write(p)
}

// A packet that the path does not take is dropped; the next one goes on.
func TestPacketTooLongForThePath(t *testing.T) {
	c := collect(t, UDP, nil)
	s := send(t, c.dest, func(cfg *SenderConfig) {
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return narrow{conn, 1000}, err
		}
	})
	s.put(note(strings.Repeat("x", 2000)))
	s.put(note("short"))
	if p := c.await(1)[0]; string(p.Payload) != "short" {
		t.Errorf("%d bytes arrive", len(p.Payload))
	}
	waittest.For(t, "both are counted", func() bool { return s.Stats().Sent == 1 })
	if st := s.Stats(); st.Dropped != 1 || st.Redials != 0 {
		t.Errorf("%+v", st)
	}
}
