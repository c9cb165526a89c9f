package dialing

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
)

var hi = message.Bytes("hi")

func tcp(addr netip.AddrPort) *message.Target {
	return &message.Target{Proto: transport.TCP, Addr: addr, Class: message.NewRequest}
}

// What cannot be sent is refused with a reason that tells whose matter that is.
func TestSendRefuses(t *testing.T) {
	there := netip.MustParseAddrPort("192.0.2.1:5060")
	for name, tt := range map[string]struct {
		prepare func(r *rig)
		target  message.Target
		reason  reason.Reason
		blame   reason.Blame
		says    string
	}{
		"not running": {func(r *rig) { r.Up.Store(false) }, *tcp(there), reason.NoConnection, 0, "does not run"},
		"no address":  {nil, message.Target{Proto: transport.TCP}, reason.NoConnection, 0, "is gone"},
		"no port":     {nil, *tcp(netip.MustParseAddrPort("192.0.2.1:0")), reason.ConnectFailed, reason.BlameConfig, "no address of a peer"},
		"anywhere":    {nil, *tcp(netip.MustParseAddrPort("0.0.0.0:5060")), reason.ConnectFailed, reason.BlameConfig, "no address of a peer"},
		"multicast":   {nil, *tcp(netip.MustParseAddrPort("224.0.1.75:5060")), reason.ConnectFailed, reason.BlameConfig, "no address of a peer"},
		"broadcast":   {nil, *tcp(netip.MustParseAddrPort("255.255.255.255:5060")), reason.ConnectFailed, reason.BlameConfig, "no address of a peer"},
		"transport":   {nil, message.Target{Addr: there}, reason.NoConnection, reason.BlameConfig, "no transport"},
		"no domains":  {nil, message.Target{Proto: transport.TLS, Addr: there}, reason.ConnectFailed, reason.BlameConfig, "no TLS domains"},
		"no new one":  {nil, message.Target{Proto: transport.TCP, Addr: there, NoNew: true}, reason.NoConnection, 0, "forbidden"},
		"none at all": {func(r *rig) { r.ForbidNew = true }, *tcp(there), reason.NoConnection, 0, "forbidden"},
		"stopping":    {func(r *rig) { r.Stopping.Store(true) }, *tcp(there), reason.NoConnection, 0, "forbidden"},
		"no room":     {func(r *rig) { r.all.Limits.Open = 0 }, *tcp(there), reason.ConnectionLimit, 0, "no room"},
		"visitor": {func(r *rig) { r.all.Visitors.Left(there) }, message.Target{Proto: transport.WS, Addr: there}, reason.NoConnection, 0,
			"had opened its connection itself"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if tt.prepare != nil {
				tt.prepare(r)
			}
			_, err := r.Send(&tt.target, hi, alone{})
			if err == nil || err.Reason != tt.reason || tt.blame != 0 && err.Blame != tt.blame || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%+v", err)
			}
			if r.all.Table.Len() != 0 || r.all.Stat.Dials.Load() != 0 {
				t.Error("a connection was begun")
			}
		})
	}
}

// UDP is its caller's.
func TestDatagramsAreLeft(t *testing.T) {
	r := newRig(t)
	if o, err := r.Send(&message.Target{Proto: transport.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")}, hi, alone{}); o != ByDatagram || err != nil {
		t.Errorf("%v, %v", o, err)
	}
}

// A connection that is there has the message, named by its handle or by its address, and
// tells who carries it.
func TestSendFindsAConnection(t *testing.T) {
	r := newRig(t)
	addr := netip.MustParseAddrPort("192.0.2.1:5060")
	c := r.up(transport.TCP, addr)
	gone := message.Handle(1<<40 | 9)
	for name, to := range map[string]message.Target{
		"address": *tcp(addr), "handle": {Conn: c.ID}, "mapped": *tcp(netip.MustParseAddrPort("[::ffff:192.0.2.1]:5060")),
		"handle that is gone": {Conn: gone, Proto: transport.TCP, Addr: addr},
	} {
		var by message.Source
		to.Carrier, to.Class = &by, message.Final
		if o, err := r.Send(&to, hi, alone{}); o != message.Sent || err != nil || by.Conn != c.ID {
			t.Errorf("%s: %v, %v by %v", name, o, err, by.Conn)
		}
		b, _, _ := c.TakeWaiting()
		if string(b.Text) != "hi" {
			t.Errorf("%s: %q waits", name, b.Text)
		}
	}
	if r.all.Stat.Dials.Load() != 0 {
		t.Error("another one was opened")
	}
}

// ws names a connection of wss, too (RFC 7118 5.5).
func TestWebSocketOverTLSServes(t *testing.T) {
	r := newRig(t)
	addr := netip.MustParseAddrPort("192.0.2.1:5066")
	c := r.up(transport.WSS, addr)
	if o, err := r.Send(&message.Target{Proto: transport.WS, Addr: addr, Class: message.Final}, hi, alone{}); o != message.Sent || err != nil {
		t.Fatalf("%v, %v", o, err)
	}
	if b, _, _ := c.TakeWaiting(); b == nil {
		t.Error("it does not have the message")
	}
}

// Two messages to one address open one connection, which has both when it is up.
func TestTwoOpenOne(t *testing.T) {
	r := newRig(t)
	to := tcp(r.listener())
	for range 2 {
		if o, err := r.Send(to, hi, alone{}); o != message.Queued || err != nil {
			t.Fatalf("%v, %v", o, err)
		}
	}
	c := <-r.adopted
	if n := r.all.Stat.Dials.Load(); n != 1 || c.Phase() != phase.Enrolling {
		t.Errorf("%d connects, it is %v", n, c.Phase())
	}
	if b, _, _ := c.TakeWaiting(); len(b.Ends) != 2 {
		t.Errorf("%d messages wait", len(b.Ends))
	}
	if lives, waited := c.ComesTo(new(own)); !lives || !waited || c.At() != phase.Established {
		t.Errorf("it lives: %v, its connect was parked: %v, it is %v", lives, waited, c.At())
	}
}

// Where nothing may wait a message is refused that would.
func TestNothingMayWait(t *testing.T) {
	r := newRig(t)
	r.config.MaxPostponed = 0
	go func() { // the loop that is to have the connection sees that it is to close
		c := <-r.adopted
		for end := time.Now().Add(30 * time.Second); !c.Closes(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Error("it is never asked to close")
				c.AskClose(reason.Because(reason.Shutdown, "")) // so that the sender goes on
			}
		}
		if lives, _ := c.ComesTo(new(own)); !lives {
			unix.Close(c.Fd())
			c.CleanUp()
		}
	}()
	if _, err := r.Send(tcp(r.listener()), hi, patient{}); err == nil || err.Reason != reason.QueueFull {
		t.Errorf("%v", err)
	}
}

// A refused connect is the waiting sender's, or comes back, and has its destination left alone.
func TestRefusedConnect(t *testing.T) {
	r := newRig(t)
	to := tcp(r.shut())
	r.config.LocalConnectTimeout = 1 << 40
	if _, err := r.Send(to, hi, patient{}); err == nil || err.Reason != reason.ConnectFailed || err.Blame != reason.BlamePeer {
		t.Fatalf("%v", err)
	}
	_, err := r.Send(to, hi, patient{})
	if err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("%v", err)
	}
	if list := r.List(); len(list) != 1 || list[0].Addr != to.Addr || list[0].Refused != 1 {
		t.Errorf("left alone: %+v", list)
	}
	if back := r.Back(); len(back) != 0 {
		t.Errorf("%q comes back, which its sender was told of", back)
	}
}

// A probe that was not refused by the end of its time has found the destination back; one that
// is not done is given up, for what it has come to.
func TestProbesHaveATime(t *testing.T) {
	for at, want := range map[phase.Phase]reason.Reason{
		phase.Connecting: reason.ConnectTimeout, phase.Handshaking: reason.HandshakeTimeout,
	} {
		r := newRig(t)
		c := r.up(transport.TCP, netip.MustParseAddrPort("192.0.2.1:5060"))
		c.Begin(at)
		if ProbeOver(c); c.Why() == nil || c.Why().Reason != want {
			t.Errorf("%v: %v", at, c.Why())
		}
	}
	r := newRig(t)
	to := tcp(r.shut())
	r.config.LocalConnectTimeout = 1 << 40
	_, _ = r.Send(to, hi, patient{})
	c := r.up(transport.TCP, to.Addr)
	if ProbeOver(c); c.Why() != nil || len(r.List()) != 0 {
		t.Errorf("%v; left alone: %v", c.Why(), r.List())
	}
}

// A datagram that the network could not deliver counts only if the network has quoted it.
func TestUnreachable(t *testing.T) {
	r := newRig(t)
	why := reason.Because(reason.ConnectFailed, "made up")
	addr := netip.MustParseAddrPort("192.0.2.1:5060")
	r.Unreachable(&message.Undelivered{Addr: addr, Err: why})
	if len(r.List()) != 0 {
		t.Error("what nobody quoted counts")
	}
	r.Unreachable(&message.Undelivered{Addr: addr, Err: why, Quoted: true})
	if list := r.List(); len(list) != 1 || list[0].Proto != transport.UDP {
		t.Errorf("left alone: %+v", list)
	}
}

var _ connection.Owner = (*own)(nil)
