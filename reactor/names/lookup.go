package names

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rescue"
)

// Resolver finds the targets of host names. It may block: it is called where a
// worker may wait. Any number of goroutines call it.
type Resolver interface {
	// Lookup gives the targets of a host, or an error if there is none; how long
	// either may be kept stands in the answer. An error with 0 there is that nobody
	// knows.
	Lookup(ctx context.Context, q Query) (Answer, error)
}

// maxQuestions is how many questions one look-up may ask.
const maxQuestions = 48

// errQuestions: an answer led to more questions than a look-up may ask.
var errQuestions = errors.New("names: the name leads to too many questions")

// lookup is one look-up under way. Its questions are asked side by side where none
// waits for another's answer.
type lookup struct {
	dns   *DNS
	ctx   context.Context
	sys   *system
	q     Query
	asked atomic.Int32

	mu      sync.Mutex
	ttl     time.Duration // the shortest of what was used
	absent  time.Duration // the shortest of what is not there; 0 none
	failure error         // of a question that got no answer
}

// Lookup answers a question (Resolver).
func (d *DNS) Lookup(ctx context.Context, q Query) (Answer, error) {
	l := &lookup{dns: d, ctx: ctx, sys: d.files.current(), q: q, ttl: d.cfg.MaxTTL}
	if addrs := l.sys.hosts[q.Host]; len(addrs) > 0 {
		return l.answer(l.place(nil, &spot{host: l.plain(q.Host), addrs: addrs}), nil)
	}
	for _, name := range l.sys.candidates(q.Host, d.cfg.NoSearch) {
		if list, err := l.find(name); err != nil || len(list) > 0 {
			return l.answer(list, err)
		}
		if l.failure != nil { // who knows: the next name would be somebody else's
			break
		}
	}
	return l.answer(nil, nil)
}

// answer makes the answer of what was found.
func (l *lookup) answer(list []Target, err error) (Answer, error) {
	switch {
	case err == nil && len(list) > 0:
		if l.failure != nil { // there may be more
			l.ttl = min(l.ttl, failedFor)
		}
		return Answer{Targets: list, TTL: max(l.ttl, l.dns.cfg.MinTTL)}, nil
	case err == nil && l.failure != nil:
		return Answer{}, fmt.Errorf("%w for %s: %w", ErrUnresolved, l.q.Host, l.failure)
	case err == nil:
		err = fmt.Errorf("%w for %s", ErrUnresolved, l.q.Host)
	}
	return Answer{TTL: min(max(l.absent, l.dns.cfg.MinTTL), maxAbsent)}, err
}

// host is a name whose addresses are wanted, and what it is to be.
type host struct {
	name         string
	proto        reactor.Proto
	port, weight uint16
}

// plain is a host that no SRV record names.
func (l *lookup) plain(name string) host {
	h := host{name: name, proto: l.q.Proto, port: l.q.Port}
	switch {
	case h.proto != 0:
	case l.q.Secure:
		h.proto = reactor.TLS
	default:
		h.proto = cmp.Or(l.q.Fallback, reactor.UDP)
	}
	h.port = cmp.Or(h.port, l.dns.port(h.proto))
	return h
}

// find goes through the steps of RFC 3263 4.1 and 4.2 for a full name.
func (l *lookup) find(name string) ([]Target, error) {
	if l.q.Port == 0 {
		var ways []way
		if l.q.Proto == 0 && !l.dns.cfg.NoNAPTR {
			ways = l.naptr(name)
		}
		if len(ways) == 0 {
			for _, s := range l.q.transports() {
				if s.srv == "" {
					continue
				}
				ways = append(ways, way{proto: s.proto, name: s.srv + name})
			}
		}
		if list, err := l.follow(ways); err != nil || len(list) > 0 {
			return list, err
		}
	}
	h := l.plain(name)
	return l.place(nil, &spot{host: h, addrs: l.addresses(name, h.proto)}), nil
}

// spot is a host and its place among the targets.
type spot struct {
	host
	tier, item uint8
	addrs      []netip.Addr
}

// follow gives the targets that ways lead to, way after way.
func (l *lookup) follow(ways []way) ([]Target, error) {
	offers := make([]offer, len(ways))
	each(l, ways, func(i int) { offers[i] = l.srv(&ways[i]) })
	var spots []spot
	refused, tier := 0, uint8(0)
	for _, o := range offers {
		if o.refused {
			refused++
		}
		item := uint8(0)
		for i, r := range o.records {
			if len(spots) == MaxTargets { // more would not be kept
				break
			}
			if i > 0 && r.priority != o.records[i-1].priority {
				tier, item = tier+1, 0
			}
			spots = append(spots, spot{host: r.host, tier: tier, item: item})
			item++
		}
		tier++
	}
	each(l, spots, func(i int) { spots[i].addrs = l.addresses(spots[i].name, spots[i].proto) })
	var list []Target
	for i := range spots {
		list = l.place(list, &spots[i])
	}
	if len(list) == 0 && refused > 0 && refused == len(ways) {
		return nil, fmt.Errorf("%w for %s: it offers no SIP over a transport of ours", ErrUnresolved, l.q.Host) // RFC 2782
	}
	return list, nil
}

// each calls f for every place in a list, side by side. What a panic has ended nobody knows.
func each[T any](l *lookup, list []T, f func(i int)) {
	if len(list) == 1 {
		f(0)
		return
	}
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() {
			if err := rescue.Run(nil, "a look-up", func() { f(i) }); err != nil {
				l.missed(0, err)
			}
		})
	}
	all.Wait()
}

// place appends the addresses of a host, those that we can send to and as many as
// are kept.
func (l *lookup) place(list []Target, s *spot) []Target {
	for _, a := range s.addrs {
		if a = a.Unmap(); len(list) < MaxTargets && l.wants(s.proto, a.Is6()) {
			list = append(list, Target{EndPoint: reactor.EndPoint{Proto: s.proto, Addr: netip.AddrPortFrom(a, s.port)},
				Tier: s.tier, Item: s.item, Weight: s.weight})
		}
	}
	return list
}

// wants reports whether addresses of a family are of use: IPv6 where dns_try_ipv6
// allows it, or where we have nothing else.
func (l *lookup) wants(p reactor.Proto, v6 bool) bool {
	if !v6 {
		return l.q.Reach.Has(p, false)
	}
	return l.q.Reach.Has(p, true) && (l.dns.cfg.TryIPv6 || !l.q.Reach.Has(p, false))
}

// used notes how long something that was found may be kept.
func (l *lookup) used(ttl time.Duration) {
	l.mu.Lock()
	l.ttl = min(l.ttl, ttl)
	l.mu.Unlock()
}

// missed notes a question without an answer: that there is none, for a while, or
// why nobody knows.
func (l *lookup) missed(ttl time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failure = err
	} else if ttl = max(ttl, l.dns.cfg.MinTTL); l.absent == 0 || ttl < l.absent {
		l.absent = ttl
	}
}
