package mi

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor"
	"sipreactor/tlsstate"
)

// connClass is what connections are counted by.
type connClass struct {
	proto    reactor.Proto
	outbound bool
	phase    string
}

// direction names the side that opened the connection.
func (c connClass) direction() string {
	if c.outbound {
		return "out"
	}
	return "in"
}

// census is a count of the connections at one moment.
type census struct {
	conns         map[connClass]uint64
	queued, stuck map[reactor.Proto]uint64 // messages that wait; peers that take nothing
}

// count counts the connections. It takes each one's lock for a moment.
func count(e Engine) *census {
	c := &census{conns: make(map[connClass]uint64), queued: make(map[reactor.Proto]uint64), stuck: make(map[reactor.Proto]uint64)}
	e.Conns(func(i *reactor.ConnInfo) bool {
		c.conns[connClass{i.Proto, i.Outbound, i.Phase}]++
		c.queued[i.Proto] += uint64(i.Queue)
		if i.Stuck {
			c.stuck[i.Proto]++
		}
		return true
	})
	return c
}

// connPhases are the phases that a connection can be met in, connProtos the
// transports that have connections.
var (
	connPhases = []string{"connecting", "enrolling", "handshaking", "established", "closing"}
	connProtos = []reactor.Proto{reactor.TCP, reactor.TLS}
)

// eachClass calls f with every class there can be.
func eachClass(f func(c connClass)) {
	for _, p := range connProtos {
		for _, out := range []bool{false, true} {
			for _, phase := range connPhases {
				f(connClass{p, out, phase})
			}
		}
	}
}

// ConnFigures is the Source of the number of connections by protocol, direction
// and phase, and of what waits on them, in net:. They are counted when somebody
// wants one of the figures.
func ConnFigures(e Engine) Source {
	return func(add func(Value)) {
		counted := sync.OnceValue(func() *census { return count(e) })
		eachClass(func(c connClass) {
			add(Value{Group: "net", Name: fmt.Sprintf("connections_%v_%s_%s", c.proto, c.direction(), c.phase), Gauge: true,
				Func: func() uint64 { return counted().conns[c] }})
		})
		for _, p := range connProtos {
			add(Value{Group: "net", Name: "queued_" + p.String(), Gauge: true, Func: func() uint64 { return counted().queued[p] }})
			add(Value{Group: "net", Name: "stuck_" + p.String(), Gauge: true, Func: func() uint64 { return counted().stuck[p] }})
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
