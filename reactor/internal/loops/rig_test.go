package loops

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/connection/connectiontest"
	"sipreactor/reactor/internal/dialing"
	"sipreactor/reactor/internal/dispatch"
	"sipreactor/reactor/internal/handshakes"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/poller/pollertest"
	"sipreactor/reactor/internal/reason"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// rig is a loop that no poller runs, with shards that nobody works off: what it gives them
// stays there to be counted.
type rig struct {
	*testing.T
	*Loop
	common     Common
	all        connection.Common
	dialer     dialing.Dialer
	dispatcher dispatch.Dispatcher
	config     transport.StreamConfig
	refused    []string // that the Handler was asked to answer
}

const bound = 4 // of each shard

// later is who handles what a poller tells, which is made after the poller.
type later struct{ poller.LoopHandler }

func newRig(t *testing.T) *rig {
	r := &rig{T: t, config: transport.StreamConfig{Async: true, MaxPostponed: 8, SendTimeout: time.Hour}}
	connectiontest.Start(t, &r.all)
	r.dialer.All, r.dialer.Stream = &r.all, func(transport.Proto) *transport.StreamConfig { return &r.config }
	none := tlsstate.Domains(nil)
	r.dialer.Domains.Store(&none)
	a := &r.common
	a.Conns, a.Dialer, a.Dispatcher, a.Handshakers, a.Refuses, a.MaxConnections = &r.all, &r.dialer, &r.dispatcher, new(handshakes.Pool), true, 10
	a.Sockets = []*message.Socket{
		{Proto: transport.TCP, Addr: netip.MustParseAddrPort("0.0.0.0:5060")},
		{Proto: transport.TCP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")},
		{Proto: transport.UDP, Addr: netip.MustParseAddrPort("192.0.2.1:5060")},
		{Proto: transport.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")},
	}
	r.dispatcher.Init(dispatch.Config{Shards: 2, Bound: bound, Waiters: 1, Now: r.all.Now, Eased: func() {}, Worker: func() *dispatch.Place {
		p := new(dispatch.Place)
		p.Init(&r.dispatcher, func(it dispatch.Item) {
			p.Begin(&it)
			if it.Kind == dispatch.Overload {
				r.refused = append(r.refused, string(it.Data))
			}
			p.Done(&it)
		})
		return p
	}})
	var told later
	r.Loop = NewLoop(a, pollertest.Hold(t, &told).Loop)
	told.LoopHandler = r.Loop
	return r
}

// conn returns a connection that a peer has opened, as the loop admits it.
func (r *rig) conn() *connection.Conn {
	c := &connection.Conn{Common: &r.all, Loop: r.Loop, Born: time.Now()}
	c.Own.Sock.Owner = c
	c.Own.Sock.Hold(-1)
	c.Src = message.Source{Proto: transport.TCP, Remote: netip.MustParseAddrPort("198.51.100.1:40000"), Socket: r.common.Sockets[0]}
	return c
}

// established is conn, admitted.
func (r *rig) established() *connection.Conn {
	r.Helper()
	c := r.conn()
	if cause := r.admit(c); cause != reason.Admitted {
		r.Fatalf("it is refused: %v", cause)
	}
	if c.At() != phase.Established {
		r.Fatalf("it is %v", c.At())
	}
	return c
}

// bring has a connection bring messages in one read.
func (r *rig) bring(c *connection.Conn, messages ...string) {
	for _, m := range messages {
		r.Slab.Begin(nil)
		r.Message(c, r.Slab.Put([]byte(m)))
	}
	r.Dispatch(c)
}

// waiting returns how many items the shards have.
func (r *rig) waiting() (n int) {
	for _, s := range r.dispatcher.Shards {
		n += s.Busy()
	}
	return n
}

// text returns a message of a call.
func text(first, call string) string {
	return strings.Join([]string{first, "Via: SIP/2.0/TCP h;branch=z9hG4bK" + call, "From: <sip:a@b>;tag=1", "To: <sip:b@b>",
		"Call-ID: " + call, "CSeq: 1 INVITE", "Content-Length: 0", "", ""}, "\r\n")
}

// calls are requests of so many calls that go to one shard.
func (r *rig) calls(shard, n int) (list []string) {
	for i := 0; len(list) < n; i++ {
		if m := text("INVITE sip:b@b SIP/2.0", "c"+strconv.Itoa(i)); r.dispatcher.Of([]byte(m)) == shard {
			list = append(list, m)
		}
	}
	return list
}
