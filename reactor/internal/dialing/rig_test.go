package dialing

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"sipreactor/reactor/internal/codec"
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/connection/connectiontest"
	"sipreactor/reactor/internal/figures"
	"sipreactor/reactor/internal/message"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/poller"
	"sipreactor/reactor/internal/transport"
	"sipreactor/tlsstate"
)

// rig is a dialer without loops: a connection that is up waits to be adopted.
type rig struct {
	*testing.T
	Dialer
	*connectiontest.Fates
	all     connection.Common
	config  transport.StreamConfig
	adopted chan *connection.Conn
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, config: transport.StreamConfig{Async: true, MaxPostponed: 2, LocalConnectTimeout: time.Millisecond,
		LocalHandshakeTimeout: time.Millisecond}, adopted: make(chan *connection.Conn, 8)}
	r.Fates = connectiontest.Start(t, &r.all)
	r.all.Adopt = func(s *poller.Socket, _ func(error)) { r.adopted <- s.Owner.(*connection.Conn) }
	r.all.Backoff.Limit, r.all.Backoff.Random = time.Minute, func(n int64) int64 { return n / 2 }
	r.All, r.Stream = &r.all, func(transport.Proto) *transport.StreamConfig { return &r.config }
	none := tlsstate.Domains(nil)
	r.Domains.Store(&none)
	r.Up.Store(true)
	return r
}

// alone is a sender that must not wait.
type alone struct{}

func (alone) StandAside() bool { return false }

func (alone) Flush(c *connection.Conn) { c.AskFlush() }

// patient is one that may.
type patient struct{}

func (patient) StandAside() bool { return true }

func (patient) Flush(c *connection.Conn) { c.AskFlush() }

// own is a loop that has a connection and does nothing for it.
type own struct{ figures.LoopCounters }

func (*own) Post(*connection.Conn, uint32)     {}
func (o *own) Counters() *figures.LoopCounters { return &o.LoopCounters }

// up returns a connection to an address that is established.
func (r *rig) up(proto transport.Proto, addr netip.AddrPort) *connection.Conn {
	r.Helper()
	c := r.dialled(&message.Target{Proto: proto, Addr: addr}, &connection.Match{}, nil, nil)
	c.Own.Codec = &codec.Plain{}
	c.Loop = new(own)
	c.Begin(phase.Established)
	if r.enter(c) == nil {
		r.Fatal("there is no room")
	}
	r.all.Peers.Add(c)
	return c
}

// listener returns an address at which TCP is up.
func (r *rig) listener() netip.AddrPort {
	r.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// shut returns an address at which nobody listens.
func (r *rig) shut() netip.AddrPort {
	r.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		r.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
