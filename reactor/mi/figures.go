package mi

import (
	"fmt"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// Engine is what the management interface asks of a *reactor.Engine.
type Engine interface {
	Stats() reactor.Stats
	Sockets() []*reactor.Socket
	Conns(f func(*reactor.ConnInfo) bool)
	Conn(h reactor.Handle) (reactor.ConnInfo, bool)
	Close(h reactor.Handle) bool
}

// Proxy is what it asks of a *proxy.Proxy.
type Proxy interface {
	Counters(f func(c proxy.Counter, n uint64))
	Count(c proxy.Counter) uint64
	Replies(code int) uint64
	Refused(code int) uint64
}

// EngineFigures is the Source of an engine's statistics: OpenSIPS' net:, and
// our own in net:, tls: and close:.
func EngineFigures(e Engine) Source {
	return func(add func(Value)) {
		s := e.Stats()
		for _, p := range []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS} {
			add(Value{Group: "net", Name: "waiting_" + p.String(), Gauge: true,
				Func: func() uint64 { return waiting(e.Sockets(), p) }})
		}
		for _, v := range []Value{
			{Group: "net", Name: "connections", Gauge: true, N: uint64(s.Connections)},
			{Group: "net", Name: "parking", Gauge: true, N: uint64(s.Parking)},
			{Group: "net", Name: "peers", Gauge: true, N: uint64(s.Peers)},
			{Group: "net", Name: "accepted", N: s.Accepted},
			{Group: "net", Name: "refused", N: s.Refused},
			{Group: "net", Name: "established", N: s.Established},
			{Group: "net", Name: "dials", N: s.Dials},
			{Group: "net", Name: "parked", N: s.Parked},
			{Group: "net", Name: "messages_in", N: s.MessagesIn},
			{Group: "net", Name: "messages_out", N: s.MessagesOut},
			{Group: "net", Name: "datagrams_out", N: s.DatagramsOut},
			{Group: "net", Name: "batches_out", N: s.Batches},
			{Group: "net", Name: "bytes_in", N: s.BytesIn},
			{Group: "net", Name: "bytes_out", N: s.BytesOut},
			{Group: "net", Name: "pings", N: s.Pings},
			{Group: "net", Name: "malformed", N: s.Malformed},
			{Group: "net", Name: "overflow", N: s.Overflow},
			{Group: "net", Name: "dropped", N: s.Dropped},
			{Group: "net", Name: "undelivered", N: s.Undelivered},
			{Group: "net", Name: "blocked", N: s.Blocked},
			{Group: "net", Name: "send_timeouts", N: s.SendTimeouts},
			{Group: "net", Name: "takeovers", N: s.Takeovers},
			{Group: "net", Name: "waiters_full", N: s.WaitersFull},
			{Group: "tls", Name: "handshakes", N: s.Handshakes},
			{Group: "tls", Name: "handshakes_failed", N: s.HandshakesFailed},
			{Group: "tls", Name: "resumed", N: s.Resumed},
		} {
			add(v)
		}
		eachReason(func(r reactor.Reason) {
			add(Value{Group: "close", Name: strings.ReplaceAll(r.String(), " ", "_"), N: s.Closed[r]})
		})
	}
}

// eachReason calls f with the reasons for which a connection can end.
func eachReason(f func(r reactor.Reason)) {
	for r := reactor.NoReason + 1; r < reactor.NoConnection; r++ {
		f(r)
	}
}

// ProxyFigures is the Source of a proxy's statistics: OpenSIPS' core: and sl:,
// and every counter of our own in proxy:. The time counts from started.
func ProxyFigures(p Proxy, started time.Time) Source {
	return func(add func(Value)) {
		n := func(counters ...proxy.Counter) (sum uint64) {
			for _, c := range counters {
				sum += p.Count(c)
			}
			return sum
		}
		for _, v := range []Value{
			{Name: "rcv_requests", N: n(proxy.RequestsIn)},
			{Name: "rcv_replies", N: n(proxy.ResponsesIn)},
			{Name: "fwd_requests", N: n(proxy.RequestsOut)},
			{Name: "fwd_replies", N: n(proxy.ResponsesOut)},
			{Name: "drop_requests", N: n(proxy.Overloaded)},
			{Name: "drop_replies", N: n(proxy.ResponsesForeign, proxy.ResponsesForUs, proxy.ResponsesDropped)},
			{Name: "err_requests", N: n(proxy.RequestsRefused, proxy.RequestsBroken)},
			{Name: "err_replies", N: n(proxy.ResponsesBroken)},
			{Name: "bad_msg_hdr", N: n(proxy.Unreadable, proxy.StreamsBroken)},
			{Name: "timestamp", Gauge: true, N: uint64(time.Since(started) / time.Second)},
		} {
			v.Group = "core"
			add(v)
		}
		classes := make([]uint64, 7)
		for code := 100; code < 700; code++ {
			classes[code/100] += p.Replies(code)
		}
		for class := 1; class < len(classes); class++ {
			add(Value{Group: "sl", Name: fmt.Sprintf("%dxx_replies", class), N: classes[class]})
		}
		add(Value{Group: "sl", Name: "sent_replies", N: n(proxy.RepliesOut)})
		add(Value{Group: "sl", Name: "received_ACKs", N: n(proxy.AcksAbsorbed)})
		p.Counters(func(c proxy.Counter, n uint64) { add(Value{Group: "proxy", Name: c.String(), N: n}) })
	}
}
