package flow

import (
	"net"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/tcptest"
	"sipreactor/reactor/internal/transport"
)

// dialled returns a connection of ours whose connect is done, before its loop takes it.
func (r *rig) dialled() *connection.Conn {
	r.Helper()
	fd, peer := tcptest.Pair(r)
	c := &connection.Conn{Common: &r.all, Loop: r, Config: &r.config, Born: time.Now()}
	c.Own.Sock.Owner, c.Own.Dial = c, new(connection.Dialing)
	r.loop.Give(r, &c.Own.Sock, fd)
	c.Src = message.Source{Proto: transport.TCP, Remote: peer.LocalAddr().(*net.TCPAddr).AddrPort(), Outbound: true}
	if r.all.Table.Add(c) == 0 {
		r.Fatal("there is no room for a connection")
	}
	r.Cleanup(func() {
		if c.At() != phase.Closed {
			r.Close(c, reason.Because(reason.ClosedByManagement, ""))
		}
	})
	return c
}

// A sender that went on while the connect was under way is told of by a count, and what a dial
// has ends with it.
func TestDialThatIsParked(t *testing.T) {
	for _, parked := range []bool{false, true} {
		r := newRig(t)
		c := r.dialled()
		if parked {
			c.Park()
		}
		c.Enter(phase.Enrolling)
		r.Adopt(c)
		if c.At() != phase.Established || c.Own.Dial != nil {
			t.Errorf("it is %v, and has %v", c.At(), c.Own.Dial)
		}
		want := uint64(0)
		if parked {
			want = 1
		}
		if n, d := r.Stat.ResumedConnects.Load(), r.Stat.Dialed.Load(); n != want || d != 1 {
			t.Errorf("parked %v: %d of %d connects are resumed", parked, n, d)
		}
		if n := r.Stat.ResumedHandshakes.Load(); n != 0 {
			t.Errorf("parked %v: %d handshakes are resumed, of plain TCP", parked, n)
		}
	}
}

// One of ours that carries nothing ends with its lifetime.
func TestDialledIsIdle(t *testing.T) {
	r := newRig(t)
	c := r.dialled()
	c.Enter(phase.Enrolling)
	r.Adopt(c)
	r.later(time.Duration(r.all.Limits.Lifetime+2) * time.Second)
	r.Tick()
	r.endsAs(c, reason.IdleTimeout)
}

// And it has all of that from when it came up, however long there was an engine before.
func TestDialledIsNotIdleBefore(t *testing.T) {
	r := newRig(t)
	r.later(3 * time.Duration(r.all.Limits.Lifetime) * time.Second)
	r.Tick()
	c := r.dialled()
	c.Enter(phase.Enrolling)
	r.Adopt(c)
	r.later(time.Duration(r.all.Limits.Lifetime-60) * time.Second)
	r.Tick()
	r.lives(c, "before its lifetime is over")
	if n := r.Stat.Established.Load(); n != 1 {
		t.Errorf("%d are established", n)
	}
}

// A probe that has come up is a connection for all, which was nobody's before.
func TestProbeIsFound(t *testing.T) {
	r := newRig(t)
	c := r.dialled()
	c.Probing = true
	c.Enter(phase.Enrolling)
	if n := len(r.all.Peers.Lookup(c.Key())); n != 0 {
		t.Errorf("%d are found before it is up", n)
	}
	if r.Adopt(c); len(r.all.Peers.Lookup(c.Key())) != 1 {
		t.Error("it is not found")
	}
}

// A handshake that is done counts to its source no more, its timer rests, and whoever did not
// wait for it is set to work.
func TestHandshakeIsOver(t *testing.T) {
	r := newRig(t)
	c, _ := r.accepted(&shaker{steps: 1})
	var sources sourcelimit.Table
	limits := &sourcelimit.Limits{Connections: 10, Handshakes: 10}
	if v := sources.Enter(&c.Own.Share, limits, c.Src.Remote.Addr(), true, 1); v != sourcelimit.Admitted {
		t.Fatal(v)
	}
	c.Own.Dial = new(connection.Dialing) // as one of ours has
	c.Park()
	r.Input(c, []byte("x"))
	r.steps()
	if _, n, handshakes, _ := sources.Totals(); n != 1 || handshakes != 0 {
		t.Errorf("%d connections with %d handshakes", n, handshakes)
	}
	if n := r.Stat.ResumedHandshakes.Load(); n != 1 || r.stirred != 1 {
		t.Errorf("%d handshakes are resumed, others are set to work %d times", n, r.stirred)
	}
}
