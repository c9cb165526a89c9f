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
	OwnResponses(code int) uint64
	Refused(code int) uint64
	Defects() map[string]uint64
}

// allProtos are the transports there are.
var allProtos = []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS, reactor.WS, reactor.WSS}

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

// EngineFigures is the Source of an engine's statistics: reactor.Figures, and what
// waits in the kernel, which is asked for when it is wanted.
func EngineFigures(e Engine) Source {
	return func(add func(Value)) {
		for _, p := range allProtos {
			add(Value{Group: "net", Name: "waiting_" + p.String(), Gauge: true,
				Func: func() uint64 { return Waiting(e, p) }})
		}
		s := e.Stats()
		for i := range reactor.Figures {
			f := &reactor.Figures[i]
			f.Each(&s, func(n uint64, labels ...string) {
				add(Value{Group: f.Group, Name: f.NameOf(labels...), Gauge: f.Level, N: n})
			})
		}
	}
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
// and every counter of our own in proxy:, with responses and refusals by the codes
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
			responses, refused := p.OwnResponses(code), p.Refused(code)
			classes[code/100] += responses
			if responses > 0 {
				byCode = append(byCode, func() { proxied.count(fmt.Sprintf("replies_%d", code), responses) })
			}
			if refused > 0 {
				byCode = append(byCode, func() { proxied.count(fmt.Sprintf("refused_%d", code), refused) })
			}
		}
		for class := 1; class < len(classes); class++ {
			add(Value{Group: "sl", Name: fmt.Sprintf("%dxx_replies", class), N: classes[class]})
		}
		add(Value{Group: "sl", Name: "sent_replies", N: n(proxy.OwnResponses)})
		add(Value{Group: "sl", Name: "received_ACKs", N: n(proxy.AcksAbsorbed)})
		p.Counters(func(c proxy.Counter, n uint64) { proxied.count(c.String(), n) })
		for _, f := range byCode {
			f()
		}
		eachCause(p.Defects(), func(cause string, n uint64) { proxied.count("defect_"+cause, n) })
	}
}
