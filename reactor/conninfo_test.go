package reactor

import (
	"strings"
	"testing"
	"time"
)

func TestConns(t *testing.T) {
	r := start(t, &script{message: echo}, hurried)
	r.dial(TLS)
	r.dial(TCP)
	r.dialTo(TCP, blackHole(t))
	r.eventually("all are in their phase", func() bool {
		phases := map[string]int{}
		r.Conns(func(i *ConnInfo) bool { phases[i.Phase.String()]++; return true })
		return phases["established"] == 2 && phases["connecting"] == 1
	})
	r.Conns(func(i *ConnInfo) bool {
		switch {
		case i.Outbound && (i.Phase != PhaseConnecting || i.Queue != 1 || i.TLSVersion != ""):
			t.Errorf("the parked one: %+v", i)
		case i.Proto == TLS && (i.TLSVersion != "TLSv1.3" || i.Cipher == "" || !strings.HasPrefix(i.CipherDescription(), i.Cipher) || i.Domain != "in"):
			t.Errorf("the TLS one: %+v", i)
		case i.Proto == TCP && !i.Outbound && (i.TLSVersion != "" || i.Domain != ""):
			t.Errorf("the plain one: %+v", i)
		}
		if one, ok := r.Conn(i.Conn); !ok || one.Source != i.Source {
			t.Errorf("Conn(%x): %+v, %v", i.Conn, one, ok)
		}
		if i.Idle < 0 || i.Age <= 0 {
			t.Errorf("idle %v, age %v", i.Idle, i.Age)
		}
		return true
	})
	n := 0
	r.Conns(func(*ConnInfo) bool { n++; return false })
	if n != 1 {
		t.Errorf("went on to %d after it was told to stop", n)
	}
	if _, ok := r.Conn(1 << 40); ok {
		t.Error("a connection that never was")
	}
}

// A look at all connections, as each scrape of the metrics takes one, costs no
// memory for each of them.
func TestConnsAllocatesLittle(t *testing.T) {
	const many = 50
	r := start(t, &script{message: echo}, nil)
	for range many {
		r.dial(TLS)
	}
	r.eventually("all are up", func() bool { return len(r.seen.of(ConnEstablished)) == many }) // else handshakes are counted, too
	seen := 0
	if n := testing.AllocsPerRun(10, func() {
		seen = 0
		r.Conns(func(*ConnInfo) bool { seen++; return true })
	}); n > many/2 || seen != many {
		t.Errorf("%v allocations for %d connections", n, seen)
	}
}

// What the kernel holds is counted while a loop stands still.
func TestUnread(t *testing.T) {
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops = 1 })
	c := r.raw(TCP)
	l := r.onlyLoop()
	r.onLoop(l, func() {
		if _, err := c.Write(make([]byte, 1234)); err != nil {
			t.Error(err)
		}
		for end := time.Now().Add(patience); r.Unread(TCP) != 1234 && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		if tcp, tls := r.Unread(TCP), r.Unread(TLS); tcp != 1234 || tls != 0 {
			t.Errorf("%d bytes on TCP, %d on TLS, which has no connection", tcp, tls)
		}
	})
	r.eventually("they are read", func() bool { return r.Unread(TCP) == 0 })
	c.Close()
	r.eventually("the connection is gone", func() bool { return r.Connections() == 0 })
	if n := r.Unread(TCP); n != 0 {
		t.Errorf("no connection, %d bytes", n)
	}
}

// What a script may ask of a connection's TLS, with and without a certificate of
// the peer.
func TestTLSOfAConnection(t *testing.T) {
	from, to, inbox := two(t, nil)
	r := to
	plain := r.dial(TCP)
	bare := r.dial(TLS)
	if _, err := from.Send(from.target(TLS, to), Bytes(request("MESSAGE", "x", 1, ""))); err != nil {
		t.Fatal(err)
	}
	r.eventually("all are up", func() bool { return len(inbox.got()) == 1 && r.Stats().Established == 3 })
	r.Conns(func(i *ConnInfo) bool {
		s := r.TLS(i.Conn)
		switch i.Remote.String() {
		case plain.LocalAddr().String():
			if s != nil {
				t.Errorf("the plain one: %+v", s)
			}
		case bare.LocalAddr().String():
			if s == nil || s.VersionName() != "TLSv1.3" || s.Own == nil || len(s.Peer) != 0 || s.Verified || s.Domain != "in" {
				t.Errorf("without a certificate: %+v", s)
			}
		default:
			if s == nil || len(s.Peer) == 0 || !s.Verified || s.Own == nil {
				t.Errorf("with a certificate: %+v", s)
			}
		}
		return true
	})
	if r.TLS(0) != nil || r.TLS(1<<40) != nil {
		t.Error("a connection that never was")
	}
}
