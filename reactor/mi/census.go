package mi

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// ConnClass is what connections are counted by.
type ConnClass struct {
	Proto    reactor.Proto
	Outbound bool
	Phase    reactor.Phase
}

// Direction names the side that opened the connection: in or out.
func (c ConnClass) Direction() string {
	if c.Outbound {
		return "out"
	}
	return "in"
}

// Census is a count of the connections at one moment.
type Census struct {
	Conns         map[ConnClass]uint64
	Queued, Stuck map[reactor.Proto]uint64 // messages that wait; peers that take nothing
}

// NewCensus makes one that has counted nothing.
func NewCensus() *Census {
	return &Census{Conns: make(map[ConnClass]uint64), Queued: make(map[reactor.Proto]uint64), Stuck: make(map[reactor.Proto]uint64)}
}

// Add counts a connection.
func (c *Census) Add(i *reactor.ConnInfo) {
	c.Conns[ConnClass{i.Proto, i.Outbound, i.Phase}]++
	c.Queued[i.Proto] += uint64(i.Queue)
	if i.Stuck {
		c.Stuck[i.Proto]++
	}
}

// count counts the connections. It takes each one's lock for a moment.
func count(e Engine) *Census {
	c := NewCensus()
	e.Conns(func(i *reactor.ConnInfo) bool {
		c.Add(i)
		return true
	})
	return c
}

// connProtos are the transports that have connections.
var connProtos = []reactor.Proto{reactor.TCP, reactor.TLS, reactor.WS, reactor.WSS}

// eachClass calls f with every class there can be.
func eachClass(f func(c ConnClass)) {
	for _, p := range connProtos {
		for _, out := range []bool{false, true} {
			for phase := reactor.PhaseConnecting; phase <= reactor.PhaseClosing; phase++ {
				f(ConnClass{p, out, phase})
			}
		}
	}
}

// ConnFigures is the Source of the number of connections by protocol, direction
// and phase, and of what waits on them, in net:. They are counted when somebody
// wants one of the figures.
func ConnFigures(e Engine) Source {
	return func(add func(Value)) {
		counted := sync.OnceValue(func() *Census { return count(e) })
		eachClass(func(c ConnClass) {
			add(Value{Group: "net", Name: fmt.Sprintf("connections_%v_%s_%v", c.Proto, c.Direction(), c.Phase), Gauge: true,
				Func: func() uint64 { return counted().Conns[c] }})
		})
		for _, p := range connProtos {
			add(Value{Group: "net", Name: "queued_" + p.String(), Gauge: true, Func: func() uint64 { return counted().Queued[p] }})
			add(Value{Group: "net", Name: "stuck_" + p.String(), Gauge: true, Func: func() uint64 { return counted().Stuck[p] }})
		}
	}
}

// CertificateFigures is the Source of the whole days that the certificates of
// each domain have left, 0 when they have ended: tls:days_left_server_NAME and
// tls:days_left_client_NAME. What is no letter or digit in a name becomes _.
func CertificateFigures(domains func() []tlsstate.DomainInfo) Source {
	return func(add func(Value)) {
		for _, d := range domains() {
			if d.NotAfter.IsZero() {
				continue
			}
			left := max(0, time.Until(d.NotAfter))
			add(Value{Group: "tls", Name: "days_left_" + roleName(d.Config.Role) + "_" + plainName(d.Config.Name),
				Gauge: true, N: uint64(left / (24 * time.Hour))})
		}
	}
}

// roleName names the role as the set of domains takes it: what is not a server
// is a client.
func roleName(r tlsstate.Role) string {
	if r == tlsstate.Server {
		return "server"
	}
	return "client"
}

func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}
