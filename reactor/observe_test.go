package reactor

import (
	"crypto/tls"
	"net"
	"net/netip"
	"testing"
	"time"
)

// A connect that fails is told with our own end, as the kernel chose it.
func TestFailedConnectIsToldWithOurEnd(t *testing.T) {
	for name, peer := range map[string]func(*testing.T) netip.AddrPort{"refused": refusing, "black hole": blackHole} {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{}, func(c *Config) { c.ParkedTimeout = 100 * time.Millisecond })
			to := peer(t)
			if _, err := r.Send(&Target{Proto: TLS, Addr: to, Name: "localhost"}, Bytes("x")); err == nil {
				t.Fatal("connected")
			}
			r.eventually("the end is told", func() bool { return len(r.seen.of(ConnClosed)) == 1 })
			e := r.seen.of(ConnClosed)[0]
			if l := e.Src.Local; l.Addr() != to.Addr() || l.Port() == 0 || l == to || e.TLS != nil {
				t.Errorf("our end is %v", l)
			}
		})
	}
}

// A failed handshake is told with the certificates that were seen, and with the
// secrets if they are kept.
func TestFailedHandshakeIsToldWithState(t *testing.T) {
	r := start(t, &script{}, nil)
	if _, err := r.Send(&Target{Proto: TLS, Addr: untrusted(t), Name: "localhost"}, Bytes("x")); err == nil {
		t.Fatal("connected")
	}
	r.eventually("the end is told", func() bool { return len(r.seen.of(ConnClosed)) == 1 })
	e := r.seen.of(ConnClosed)[0]
	if e.Err.Reason != HandshakeFailed || e.TLS == nil || !e.TLS.Client || len(e.TLS.Peer) == 0 || e.TLS.Verified || e.Secrets != "" {
		t.Errorf("told %+v of %+v", e, e.TLS)
	}
	// Somebody who does not believe us: our certificate is what there is.
	c, err := net.Dial("tcp", r.addr(TLS).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := tls.Client(c, &tls.Config{ServerName: "localhost"}).Handshake(); err == nil {
		t.Fatal("believed")
	}
	r.eventually("the second end is told", func() bool { return len(r.seen.of(ConnClosed)) == 2 })
	e = r.seen.of(ConnClosed)[1]
	if e.TLS == nil || e.TLS.Client || e.TLS.Own == nil || len(e.TLS.Peer) != 0 {
		t.Errorf("told %+v of %+v", e, e.TLS)
	}
}

// An event has what was known at its moment: what the connection learns later is
// not written into what an observer is reading.
func TestEventsDoNotChange(t *testing.T) {
	from, to, inbox := two(t, nil)
	if _, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", "1", 1, ""))); err != nil {
		t.Fatal(err)
	}
	from.eventually("it arrives", func() bool { return len(inbox.got()) == 1 })
	for kind, verified := range map[EventKind]bool{ConnectStarted: false, HandshakeStarted: false, ConnEstablished: true} {
		if e := from.seen.of(kind); len(e) != 1 || e[0].Src.Verified != verified {
			t.Errorf("%v: verified %v", kind, !verified)
		}
	}
	if e := from.seen.of(ConnectStarted); len(e) == 1 && e[0].Src.Local.IsValid() {
		t.Error("our end was known before the connect")
	}
}

// Send tells by which connection a message goes, if it is asked.
func TestCarrier(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		from, to, inbox := two(t, nil)
		var first, second, third Source
		at := from.target(p, to)
		at.Carrier = &first
		if _, err := from.Send(at, Bytes(request("MESSAGE", "1", 1, ""))); err != nil {
			t.Fatal(err)
		}
		at.Carrier = &second
		if _, err := from.Send(at, Bytes(request("MESSAGE", "2", 1, ""))); err != nil {
			t.Fatal(err)
		}
		if _, err := from.Send(&Target{Conn: first.Conn, Carrier: &third}, Bytes(request("MESSAGE", "3", 1, ""))); err != nil {
			t.Fatal(err)
		}
		if first != second || second != third || first.Conn == 0 || first.Proto != p || first.Remote != at.Addr ||
			!first.Local.IsValid() || !first.Outbound {
			t.Errorf("carried by\n%+v\n%+v\n%+v", first, second, third)
		}
		from.eventually("all arrive", func() bool { return len(inbox.got()) == 3 })
		var none Source
		if _, err := from.Send(&Target{Proto: p, Addr: refusing(t), Name: "localhost", Carrier: &none}, Bytes("x")); err == nil || none != (Source{}) {
			t.Errorf("%v, carried by %+v", err, none)
		}
	})
}

// A datagram's carrier is its socket.
func TestCarrierOfDatagram(t *testing.T) {
	r := start(t, &script{}, func(c *Config) {
		c.Sockets = append(c.Sockets, SocketConfig{Proto: UDP, Addr: netip.MustParseAddrPort("127.0.0.1:0")})
	})
	var by Source
	to := netip.MustParseAddrPort("127.0.0.1:9")
	if _, err := r.Send(&Target{Proto: UDP, Addr: to, Carrier: &by}, Bytes("x")); err != nil {
		t.Fatal(err)
	}
	if by.Proto != UDP || by.Remote != to || by.Local != r.addr(UDP) || by.Conn != 0 {
		t.Errorf("%+v", by)
	}
}
