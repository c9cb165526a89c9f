package page

import (
	"net/netip"
	"strconv"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/tlsstate"
)

type slowHandshake struct {
	ID, Remote, Direction, Domain, TLS string
	Resumed                            bool
	Took                               float64 // milliseconds
	At                                 time.Time
}

// failure is an error, or one that came several times.
type failure struct {
	ID                                              string // "" when the connection was refused
	Proto, Remote, Direction, Reason, Blame, Detail string
	Times                                           uint64
	First, Last                                     time.Time
}

// domain is a TLS domain and its certificates.
type domain struct {
	Name, Role      string
	Addresses       []string
	Names           []string
	Versions        string
	Verify, Require bool
	Library         string
	Connections     int
	// NotBefore and NotAfter bound the time in which all certificates are valid,
	// DaysLeft is rounded down; nil when there are none.
	NotBefore, NotAfter *time.Time
	DaysLeft            *int
}

// domains lists the TLS domains in the order of the configuration.
func (o *overview) domains(n *mi.Node, conns map[string]int, now time.Time) {
	o.Domains = []domain{}
	if n.Domains == nil {
		return
	}
	for _, d := range n.Domains() {
		c := &d.Config
		one := domain{Name: c.Name, Role: "client", Addresses: c.MatchAddresses, Names: c.MatchSIPDomains,
			Versions: mi.MethodName(c.Method), Verify: d.Verify, Require: d.Require, Library: d.Library, Connections: conns[c.Name]}
		if c.Role == tlsstate.Server {
			one.Role = "server"
		}
		if !d.NotAfter.IsZero() {
			days := int(d.NotAfter.Sub(now) / (24 * time.Hour))
			if d.NotAfter.Before(now) {
				days = -1
			}
			one.NotBefore, one.NotAfter, one.DaysLeft = &d.NotBefore, &d.NotAfter, &days
		}
		o.Domains = append(o.Domains, one)
	}
}

// record writes down what the recorder knows. Its lock is held.
func (o *overview) record(r *Recorder, now time.Time) {
	o.EventsLost = r.Lost()
	o.ErrorsTotal = r.troubles.total
	o.Slowest, o.Errors = []slowHandshake{}, []failure{}
	for _, h := range r.slowest.list(now) {
		o.Slowest = append(o.Slowest, slowHandshake{ID: idText(h.conn), Remote: h.remote.String(), Direction: direction(h.outbound),
			Domain: h.domain, TLS: h.version, Resumed: h.resumed, Took: float64(h.took) / float64(time.Millisecond), At: h.at})
	}
	for _, t := range r.troubles.list[:min(len(r.troubles.list), 2*maxShown)] {
		f := failure{Proto: t.proto.String(), Remote: t.remote.String(), Direction: direction(t.outbound), Reason: t.reason.String(),
			Blame: t.blame.String(), Detail: t.detail, Times: t.times, First: t.first, Last: t.last}
		if t.conn != 0 {
			f.ID = idText(t.conn)
		}
		o.Errors = append(o.Errors, f)
	}
}

// idText writes a connection's id as text: a script's numbers are not precise
// enough for it.
func idText(h reactor.Handle) string { return strconv.FormatUint(uint64(h), 10) }

// addrText writes an address, "" for none: a connect under way has none of its
// own yet.
func addrText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
