package loops

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/sourcelimit"
	"sipreactor/reactor/internal/transport"
	"sipreactor/sipframe"
)

// A connection is of the socket that is bound to its own end, before one that is bound to any.
func TestListener(t *testing.T) {
	r := newRig(t)
	for local, want := range map[string]int{"192.0.2.1:5060": 1, "192.0.2.2:5060": 0, "192.0.2.1:5061": 3, "192.0.2.2:5061": -1, "192.0.2.1:5062": -1} {
		got := r.common.listener(netip.MustParseAddrPort(local))
		if want < 0 && got != nil || want >= 0 && got != r.common.Sockets[want] {
			t.Errorf("%s is of %+v", local, got)
		}
	}
}

// Each bound refuses by its own name, and what is refused leaves nothing behind.
func TestAdmit(t *testing.T) {
	for name, tt := range map[string]struct {
		full func(r *rig)
		want reason.Refusal
	}{
		"room":        {func(*rig) {}, reason.Admitted},
		"stopping":    {func(r *rig) { r.dialer.Stopping.Store(true) }, reason.RefusedShutdown},
		"descriptors": {func(r *rig) { r.all.Limits.Open = 0 }, reason.RefusedDescriptors},
		"source":      {func(r *rig) { r.common.Limits = sourcelimit.Limits{Connections: 1}; r.established() }, reason.RefusedSource},
		"all":         {func(r *rig) { r.common.MaxConnections = 1; r.established() }, reason.RefusedLimit},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			tt.full(r)
			before, inbound := r.all.Table.Len(), r.all.Inbound.Load()
			c := r.conn()
			got := r.admit(c)
			if got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if got != reason.Admitted && (r.all.Table.Len() != before || r.all.Inbound.Load() != inbound) {
				t.Error("it counts, though it is refused")
			}
		})
	}
}

// A connection of TLS begins with its handshake.
func TestAdmitTLS(t *testing.T) {
	r := newRig(t)
	c := r.conn()
	c.Src.Proto = transport.TLS
	if cause := r.admit(c); cause != reason.Admitted {
		t.Errorf("it is refused: %v", cause)
	}
	if c.At() != phase.Handshaking {
		t.Errorf("it is %v", c.At())
	}
}

// What a read brings goes to the shards of its calls. What finds no room there is refused,
// but what is under way finds as much room again.
func TestOverflow(t *testing.T) {
	r := newRig(t)
	c := r.established()
	all := r.calls(0, bound+2)
	r.bring(c, all...)
	if n := r.waiting(); n != bound || len(r.refused) != 2 || r.Stat.Overflow.Load() != 2 {
		t.Errorf("%d wait, %d are refused, %d are counted", n, len(r.refused), r.Stat.Overflow.Load())
	}
	bye := strings.Replace(strings.Replace(all[0], "To: <sip:b@b>", "To: <sip:b@b>;tag=2", 1), "INVITE", "BYE", 1)
	r.bring(c, bye)
	if n := r.waiting(); n != bound+1 || len(r.refused) != 2 {
		t.Errorf("%d wait, %d are refused", n, len(r.refused))
	}
	if n := c.Reading.InHand(); n != bound+1 {
		t.Errorf("%d are in hand", n)
	}
}

// Without somebody who answers it is dropped, and counted.
func TestOverflowIsDropped(t *testing.T) {
	r := newRig(t)
	r.common.Refuses = false
	r.bring(r.established(), r.calls(1, bound+3)...)
	if n := r.Stat.Dropped.Load(); n != 3 || len(r.refused) != 0 {
		t.Errorf("%d are dropped, %q are refused", n, r.refused)
	}
}

// An engine that drains refuses what begins, and nothing else.
func TestDrainingRefusesWhatBegins(t *testing.T) {
	r := newRig(t)
	r.common.Draining.Store(true)
	c := r.established()
	invite := text("INVITE sip:b@b SIP/2.0", "a")
	r.bring(c, invite, text("SIP/2.0 200 OK", "a"), text("ACK sip:b@b SIP/2.0", "a"), text("CANCEL sip:b@b SIP/2.0", "b"))
	if len(r.refused) != 1 || r.refused[0] != invite || r.waiting() != 3 || r.Stat.Drained.Load() != 1 {
		t.Errorf("refused: %q; %d wait", r.refused, r.waiting())
	}
}

// A framing that is lost ends its connection, even where its message finds no room.
func TestLostFramingEndsTheConnection(t *testing.T) {
	r := newRig(t)
	r.common.Refuses = false
	c := r.established()
	r.bring(c, r.calls(0, bound)...)
	bad := r.calls(0, 1)[0]
	it := dispatch.Item{Kind: dispatch.Malformed, Data: []byte(bad), Defect: &sipframe.Defect{Reason: "made up"}}
	r.Slab.Begin(nil)
	it.Data = r.Slab.Put(it.Data)
	r.frame(c, it)
	r.Dispatch(c)
	if !c.Closes() || c.Why().Reason != reason.MalformedMessage {
		t.Errorf("it goes on: %v", c.Why())
	}
}

// A datagram is a whole message, or white space that keeps a NAT open.
func TestDatagram(t *testing.T) {
	r := newRig(t)
	socket, from := r.common.Sockets[2], netip.MustParseAddrPort("198.51.100.1:5060")
	r.Slab.Begin(nil)
	for _, blank := range []string{"", "\r\n\r\n", "\x00\x00\x00\x00", " \t"} {
		r.datagram(socket, from, []byte(blank))
	}
	r.dispatchDatagrams()
	if n := r.waiting(); n != 0 {
		t.Errorf("%d messages of white space", n)
	}
	r.datagram(socket, from, []byte("\r\n"+text("OPTIONS sip:b@b SIP/2.0", "a")))
	r.dispatchDatagrams()
	if n := r.waiting(); n != 1 || r.Stat.Carried[transport.UDP].MessagesIn.Load() != 1 {
		t.Errorf("%d messages wait", n)
	}
}

// Of what the network quotes, whole lines are told.
func TestBounced(t *testing.T) {
	r := newRig(t)
	quote := text("INVITE sip:b@b SIP/2.0", "a")
	r.bounced(r.common.Sockets[2], netip.MustParseAddrPort("198.51.100.1:5060"), errors.New("refused"), []byte(quote[:len(quote)-10]))
	if r.waiting() != 1 || r.Stat.Bounced.Load() != 1 {
		t.Errorf("%d wait", r.waiting())
	}
}

// A datagram needs a socket of its family that is one of UDP.
func TestSendDatagramRefuses(t *testing.T) {
	r := newRig(t)
	for name, to := range map[string]message.Target{
		"no socket of IPv6": {Proto: transport.UDP, Addr: netip.MustParseAddrPort("[2001:db8::1]:5060")},
		"a socket of TCP":   {Proto: transport.UDP, Addr: netip.MustParseAddrPort("192.0.2.9:5060"), Socket: r.common.Sockets[0]},
	} {
		if _, err := r.common.SendDatagram(&to, message.Bytes("x"), nil); err == nil || err.Blame != reason.BlameConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := message.Target{Proto: transport.UDP, Addr: netip.MustParseAddrPort("192.0.2.9:5060")}
	if _, err := r.common.SendDatagram(&long, message.Bytes(make([]byte, maxDatagram+1)), nil); err == nil || err.Reason != reason.MessageTooLarge {
		t.Errorf("%v", err)
	}
}
