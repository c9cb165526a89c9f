package reactor

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/dialing"
	"sipreactor/reactor/internal/reason"
	"sipreactor/tlsstate/tlstest"
)

// A destination that refuses is dialled once; its messages get the reason at
// once, and when it is back a probe finds it, before any message.
func TestDestinationIsLeftAlone(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		inbox := &script{}
		r := start(t, &script{}, nil)
		at := refusing(t)
		to := &Target{Proto: p, Addr: at, Name: "localhost"}
		for i := range 20 {
			_, err := r.Send(to, Bytes(request("MESSAGE", "x", i, "")))
			var e *Error
			if !errors.As(err, &e) || e.Reason != ConnectFailed || e.Blame != BlamePeer {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		if s := r.Stats(); s.Dials-s.BackoffProbes != 1 || s.BackedOff != 1 || s.BackoffRefused != 19 {
			t.Errorf("%d dials, %d probes, %d left alone, %d refused", s.Dials, s.BackoffProbes, s.BackedOff, s.BackoffRefused)
		}
		if list := r.Backoff(); len(list) != 1 || list[0].Addr != at || list[0].Proto != p || list[0].Refused != 19 {
			t.Errorf("the list: %+v", list)
		}
		start(t, inbox, func(c *Config) {
			for i := range c.Sockets {
				if c.Sockets[i].Proto == p {
					c.Sockets[i].Addr = at
				}
			}
		})
		r.eventually("the probe finds it", func() bool { return r.Stats().BackedOff == 0 })
		if _, err := r.Send(to, Bytes(request("MESSAGE", "y", 1, ""))); err != nil {
			t.Error(err)
		}
		r.eventually("it arrives", func() bool { return len(inbox.got()) == 1 })
		if s := r.Stats(); s.Connections != 1 || s.Dials-s.BackoffProbes != 1 {
			t.Errorf("%d connections, %d dials of messages: the probe's was to serve", s.Connections, s.Dials-s.BackoffProbes)
		}
	})
}

// Where no message asks, a probe that is refused makes the step twice as long.
func TestProbeThatFailsDoublesTheStep(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, nil)
		to := &Target{Proto: p, Addr: refusing(t), Name: "localhost"}
		if _, err := r.Send(to, Bytes(request("MESSAGE", "x", 1, ""))); err == nil {
			t.Fatal("it was not refused")
		}
		r.eventually("the step is doubled", func() bool {
			list := r.Backoff()
			return len(list) == 1 && list[0].Step >= 2*time.Second
		})
	})
}

// A peer that accepts and never speaks TLS is left alone as one that does not
// answer, and its probe carries no message.
func TestSilentDestinationIsLeftAlone(t *testing.T) {
	s := &script{}
	r := start(t, s, func(c *Config) {
		hurried(c)
		c.TLS.HandshakeTimeout = 3 * time.Second // the sender has left long before, on a busy machine too
	})
	to := &Target{Proto: TLS, Addr: silent(t), Name: "localhost"}
	if o, err := r.Send(to, Bytes(request("MESSAGE", "x", 1, ""))); o != Queued {
		t.Fatalf("%v, %v", o, err)
	}
	r.eventually("it comes back", func() bool { lost, _ := s.lost(); return len(lost) == 1 })
	r.eventually("it is left alone", func() bool { return r.Stats().BackedOff == 1 })
	r.eventually("a probe is under way", func() bool { return r.Stats().BackoffProbes > 0 && r.Connections() == 1 })
	begun := time.Now()
	_, err := r.Send(to, Bytes(request("MESSAGE", "x", 2, "")))
	var e *Error
	if !errors.As(err, &e) || e.Reason != HandshakeTimeout {
		t.Errorf("a message beside the probe: %v", err)
	}
	if took := time.Since(begun); took > patience/2 {
		t.Errorf("it took %v", took)
	}
	if lost, _ := s.lost(); len(lost) != 1 {
		t.Errorf("%d messages came back", len(lost))
	}
}

// A probe that nothing answered says so in the words of its protocol: a connect has no
// handshake yet, and plain TCP never has one.
func TestSilentProbeSaysOfWhat(t *testing.T) {
	bothProtos(t, func(t *testing.T, p Proto) {
		r := start(t, &script{}, func(c *Config) {
			hurried(c)
			c.ParkedTimeout = 50 * time.Millisecond
		})
		// It is queued, or has failed before its sender had the time to leave.
		_, _ = r.Send(&Target{Proto: p, Addr: blackHole(t), Name: "localhost"}, Bytes(request("MESSAGE", "x", 1, "")))
		r.eventually("a probe is under way", func() bool { return r.Stats().BackoffProbes > 0 && r.Connections() == 1 })
		dialing.ProbeOver(r.conns.Table.Get(r.only())) // its time is
		r.eventually("it is over", func() bool { return r.Connections() == 0 })
		if list := r.Backoff(); len(list) != 1 || list[0].Reason.Reason != ConnectTimeout || !strings.Contains(list[0].Reason.Detail, "no answer to a probe") {
			t.Errorf("%+v", list)
		}
	})
}

// A connection that is there is used whatever the back-off says, and its answers
// end that.
func TestBackoffSparesWhatIsUp(t *testing.T) {
	got := &script{}
	r := start(t, got, func(c *Config) { c.Domains = lenient(t) })
	c := r.dial(TCP)
	r.only()
	at := c.LocalAddr().(*net.TCPAddr).AddrPort()
	to := &Target{Proto: TCP, Addr: at}
	r.conns.Backoff.Failed(r.now(), connection.KeyOf(to, at, "", ""), false, connection.Destination(to), reason.Because(ConnectFailed, "connection refused"))
	if _, err := r.Send(to, Bytes(request("MESSAGE", "x", 1, ""))); err != nil {
		t.Error(err)
	}
	if _, err := c.Write([]byte("SIP/2.0 200 OK\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r.eventually("the answer ends it", func() bool { return r.Stats().BackedOff == 0 })
}

// A certificate that does not name one domain says nothing of another.
func TestRefusedNameCountsForItself(t *testing.T) {
	ca := tlstest.NewCA(t, "ca")
	inbox := &script{}
	to := start(t, inbox, func(c *Config) { c.Domains = strict(t, ca, "good.example") })
	r := start(t, &script{}, func(c *Config) { c.Domains = strict(t, ca, "sip.us.example") })
	send := func(name string) error {
		_, err := r.Send(&Target{Proto: TLS, Addr: to.addr(TLS), Name: name}, Bytes(request("MESSAGE", name, 1, "")))
		return err
	}
	for range 5 {
		if send("evil.example") == nil {
			t.Fatal("sent to a peer that is another")
		}
	}
	if s := r.Stats(); s.Dials-s.BackoffProbes != 1 {
		t.Errorf("%d dials for five messages", s.Dials)
	}
	if err := send("good.example"); err != nil {
		t.Errorf("its neighbour: %v", err)
	}
	if list := r.Backoff(); len(list) != 1 || list[0].Name != "evil.example" || list[0].Reason.Reason != HandshakeFailed {
		t.Errorf("the list: %+v", list)
	}
	if n := r.ResetBackoff(netip.AddrPort{}); n != 1 || len(r.Backoff()) != 0 {
		t.Errorf("%d taken out", n)
	}
}

// 0 has each message try.
func TestBackoffIsOff(t *testing.T) {
	r := start(t, &script{}, func(c *Config) { c.Backoff = 0 })
	to := &Target{Proto: TCP, Addr: refusing(t)}
	for range 5 {
		if _, err := r.Send(to, Bytes("x")); err == nil {
			t.Fatal("sent")
		}
	}
	if s := r.Stats(); s.Dials != 5 || s.BackedOff != 0 {
		t.Errorf("%d dials, %d left alone", s.Dials, s.BackedOff)
	}
}
