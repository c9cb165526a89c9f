package mi

import (
	"fmt"
	"maps"
	"slices"
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
	Unread(p reactor.Proto) uint64
	Close(h reactor.Handle) bool
}

// Proxy is what it asks of a *proxy.Proxy.
type Proxy interface {
	Counters(f func(c proxy.Counter, n uint64))
	Count(c proxy.Counter) uint64
	Replies(code int) uint64
	Refused(code int) uint64
	Defects() map[string]uint64
}

// allProtos are the transports there are.
var allProtos = []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS}

// The reasons for which connects and handshakes usually fail. Figures of the
// others are there once they have happened.
var (
	dialReasons      = []reactor.Reason{reactor.ConnectFailed, reactor.ConnectTimeout}
	handshakeReasons = []reactor.Reason{reactor.HandshakeFailed, reactor.HandshakeTimeout, reactor.RejectedByDomain}
)

// eachReason calls f with the reasons for which a connection can end.
func eachReason(f func(r reactor.Reason)) {
	for r := reactor.NoReason + 1; r < reactor.NoConnection; r++ {
		f(r)
	}
}

// eachOf calls f with the counters of the usual reasons, and of those that have
// happened.
func eachOf(counted map[reactor.Reason]uint64, usual []reactor.Reason, f func(r reactor.Reason, n uint64)) {
	eachReason(func(r reactor.Reason) {
		if n := counted[r]; n > 0 || slices.Contains(usual, r) {
			f(r, n)
		}
	})
}

// reasonName is a reason as figures are named.
func reasonName(r reactor.Reason) string { return strings.ReplaceAll(r.String(), " ", "_") }

// eachCause calls f with the counters of causes, in order, each by its text in
// lower case with what is no letter or digit as one underscore.
func eachCause(counted map[string]uint64, f func(cause string, n uint64)) {
	named := make(map[string]uint64, len(counted))
	for text, n := range counted {
		words := strings.FieldsFunc(strings.ToLower(plainName(text)), func(r rune) bool { return r == '_' })
		named[strings.Join(words, "_")] += n
	}
	for _, name := range sortedKeys(named) {
		f(name, named[name])
	}
}

func sortedKeys(m map[string]uint64) []string { return slices.Sorted(maps.Keys(m)) }

// oneSide are the handshakes of one direction.
type oneSide struct {
	direction string
	*reactor.Handshakes
}

func bothSides(s *reactor.Stats) [2]oneSide {
	return [2]oneSide{{"in", &s.HandshakesIn}, {"out", &s.HandshakesOut}}
}

// EngineFigures is the Source of an engine's statistics: OpenSIPS' net:, and
// our own in net:, tls: and close:.
func EngineFigures(e Engine) Source {
	return func(add func(Value)) {
		s := e.Stats()
		for _, p := range allProtos {
			add(Value{Group: "net", Name: "waiting_" + p.String(), Gauge: true,
				Func: func() uint64 { return waiting(e, p) }})
		}
		add(Value{Group: "net", Name: "dropped_udp", Func: func() uint64 { return e.Stats().DatagramsDropped }})
		figures := list{add, "net"}
		figures.gauge("connections", s.Connections)
		figures.gauge("peers", s.Peers)
		figures.count("accepted", s.Accepted)
		figures.count("refused", s.Refused)
		reactor.Refusals(func(r reactor.Refusal) { figures.count("refused_"+r.String(), s.RefusedFor[r]) })
		figures.count("accept_failed", s.AcceptFailed)
		figures.count("established", s.Established)
		figures.count("dials", s.Dials)
		figures.count("dials_done", s.Dialed)
		eachOf(s.DialsFailed, dialReasons, func(r reactor.Reason, n uint64) { figures.count("dials_"+reasonName(r), n) })
		figures.gauge("backed_off", s.BackedOff)
		figures.count("backoff_refused", s.BackoffRefused)
		figures.count("backoff_probes", s.BackoffProbes)
		figures.gauge("parking", s.Parking)
		figures.count("parked", s.Parked)
		figures.count("parked_connects", s.ParkedConnects)
		figures.count("resumed_connects", s.ResumedConnects)
		figures.traffic("", &reactor.Traffic{MessagesIn: s.MessagesIn, MessagesOut: s.MessagesOut, BytesIn: s.BytesIn, BytesOut: s.BytesOut})
		for _, p := range allProtos {
			figures.traffic("_"+p.String(), &s.Carried[p])
		}
		figures.count("batches_out", s.Batches)
		figures.count("postponed", s.Postponed)
		figures.count("undelivered", s.Undelivered)
		figures.count("returned", s.Returned)
		figures.count("queue_full", s.QueueFull)
		figures.count("datagrams_bounced", s.DatagramsBounced)
		figures.gauge("unanswered", int(s.Unanswered))
		figures.count("never_answered", s.NeverAnswered)
		figures.count("handler_panics", s.Panics)
		figures.count("aborted", s.Aborted)
		figures.gauge("lingering", s.Lingering)
		figures.count("blocked", s.Blocked)
		figures.count("held", s.Held)
		figures.count("half_closed", s.HalfClosed)
		figures.count("send_timeouts", s.SendTimeouts)
		figures.count("pings", s.Pings)
		figures.count("malformed", s.Malformed)
		eachCause(s.Defects, func(cause string, n uint64) { figures.count("malformed_"+cause, n) })
		figures.gauge("in_hand", s.InHand)
		figures.count("overflow", s.Overflow)
		figures.count("late", s.Late)
		figures.count("drained", s.Drained)
		figures.count("dropped", s.Dropped)
		figures.gauge("workers_waiting", s.Waiting)
		figures.count("worker_waits", s.Waits)
		figures.count("takeovers", s.Takeovers)
		figures.count("waiters_full", s.WaitersFull)
		handshakeFigures(&s, list{add, "tls"})
		eachReason(func(r reactor.Reason) { add(Value{Group: "close", Name: reasonName(r), N: s.Closed[r]}) })
	}
}

// handshakeFigures are the statistics of handshakes. The durations are a sum
// and, by the number of handshakes, an average; Prometheus has the histogram.
func handshakeFigures(s *reactor.Stats, figures list) {
	figures.count("handshakes", s.Handshakes)
	figures.count("handshakes_failed", s.HandshakesFailed)
	figures.count("resumed", s.Resumed)
	figures.gauge("handshakes_waiting", s.HandshakesWaiting)
	figures.count("parked_handshakes", s.ParkedHandshakes)
	figures.count("unparked_handshakes", s.ResumedHandshakes)
	for _, side := range bothSides(s) {
		for _, v := range sortedKeys(side.Done) {
			figures.count("handshakes_"+side.direction+"_"+strings.ToLower(plainName(v)), side.Done[v])
		}
		figures.count("resumed_"+side.direction, side.Resumed)
		eachOf(side.Failed, handshakeReasons, func(r reactor.Reason, n uint64) {
			figures.count("failed_"+side.direction+"_"+reasonName(r), n)
		})
		figures.count("handshake_microseconds_"+side.direction, uint64(side.Took.Sum/time.Microsecond))
	}
	eachCause(s.HandshakeDefects, func(cause string, n uint64) { figures.count("defect_"+cause, n) })
}

// list adds statistics of one group.
type list struct {
	add   func(Value)
	group string
}

func (l list) count(name string, n uint64) { l.add(Value{Group: l.group, Name: name, N: n}) }

func (l list) gauge(name string, n int) {
	l.add(Value{Group: l.group, Name: name, N: uint64(max(0, n)), Gauge: true})
}

func (l list) traffic(suffix string, t *reactor.Traffic) {
	l.count("messages_in"+suffix, t.MessagesIn)
	l.count("messages_out"+suffix, t.MessagesOut)
	l.count("bytes_in"+suffix, t.BytesIn)
	l.count("bytes_out"+suffix, t.BytesOut)
}

// defectsOf adds up the defects that begin so.
func defectsOf(p Proxy, prefix string) (sum uint64) {
	for defect, n := range p.Defects() {
		if strings.HasPrefix(defect, prefix) {
			sum += n
		}
	}
	return sum
}

// ProxyFigures is the Source of a proxy's statistics: OpenSIPS' core: and sl:,
// and every counter of our own in proxy:, with replies and refusals by the codes
// and causes that occurred. The time counts from started.
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
			{Name: "bad_URIs_rcvd", N: defectsOf(p, "Bad URI")},
			{Name: "bad_msg_hdr", N: n(proxy.Unreadable, proxy.StreamsBroken)},
			{Name: "timestamp", Gauge: true, N: uint64(time.Since(started) / time.Second)},
		} {
			v.Group = "core"
			add(v)
		}
		classes := make([]uint64, 7)
		proxied := list{add, "proxy"}
		var byCode []func()
		for code := 100; code < 700; code++ {
			replies, refused := p.Replies(code), p.Refused(code)
			classes[code/100] += replies
			if replies > 0 {
				byCode = append(byCode, func() { proxied.count(fmt.Sprintf("replies_%d", code), replies) })
			}
			if refused > 0 {
				byCode = append(byCode, func() { proxied.count(fmt.Sprintf("refused_%d", code), refused) })
			}
		}
		for class := 1; class < len(classes); class++ {
			add(Value{Group: "sl", Name: fmt.Sprintf("%dxx_replies", class), N: classes[class]})
		}
		add(Value{Group: "sl", Name: "sent_replies", N: n(proxy.RepliesOut)})
		add(Value{Group: "sl", Name: "received_ACKs", N: n(proxy.AcksAbsorbed)})
		p.Counters(func(c proxy.Counter, n uint64) { proxied.count(c.String(), n) })
		for _, f := range byCode {
			f()
		}
		eachCause(p.Defects(), func(cause string, n uint64) { proxied.count("defect_"+cause, n) })
	}
}
