package names

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"sipreactor/reactor"
)

// way is a transport that a name offers: the owner of its SRV records, or, if it is
// plain, a host.
type way struct {
	proto reactor.Proto
	name  string
	plain bool
}

// naptr gives the ways that a name's NAPTR records offer and that we can go, the
// preferred one first (RFC 3263 4.1). Of those without a use it is as if they were
// not there; of the others the lowest order is the only one that counts (RFC 3403
// 4.1).
func (l *lookup) naptr(name string) (ways []way) {
	type record struct {
		way
		order, preference uint16
	}
	// Where NAPTR records are not known the question may get no answer at all.
	ctx, cancel := context.WithTimeout(l.ctx, l.dns.cfg.Timeout/3)
	defer cancel()
	var list []record
	for _, rr := range l.ask(ctx, name, dns.TypeNAPTR) {
		r, ok := rr.(*dns.NAPTR)
		if !ok || r.Regexp != "" || r.Replacement == "." {
			continue
		}
		plain := strings.EqualFold(r.Flags, "a")
		if !plain && !strings.EqualFold(r.Flags, "s") {
			continue
		}
		for _, s := range l.q.transports() {
			if strings.EqualFold(r.Service, s.naptr) {
				list = append(list, record{way{s.proto, dns.CanonicalName(r.Replacement), plain}, r.Order, r.Preference})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
	for _, r := range list {
		if r.order == list[0].order && len(ways) < MaxTargets {
			ways = append(ways, r.way)
		}
	}
	return ways
}

// offer is what a way leads to, the first priority first.
type offer struct {
	records []srvRecord
	refused bool // the service is decidedly not there (RFC 2782: a target of ".")
}

type srvRecord struct {
	host
	priority uint16
}

// srv gives the hosts that a way leads to (RFC 3263 4.2).
func (l *lookup) srv(w *way) (o offer) {
	if w.plain {
		return offer{records: []srvRecord{{host: host{name: w.name, proto: w.proto, port: l.dns.port(w.proto)}}}}
	}
	for _, rr := range l.ask(l.ctx, w.name, dns.TypeSRV) {
		switch r, ok := rr.(*dns.SRV); {
		case !ok:
		case r.Target == ".":
			o.refused = true
		case r.Port != 0 && len(o.records) < maxRecords:
			o.records = append(o.records, srvRecord{host{dns.CanonicalName(r.Target), w.proto, r.Port, r.Weight}, r.Priority})
		}
	}
	o.refused = o.refused && len(o.records) == 0
	slices.SortStableFunc(o.records, func(a, b srvRecord) int { return cmp.Compare(a.priority, b.priority) })
	return o
}

// addresses gives the addresses of a host for a transport, IPv4 first.
func (l *lookup) addresses(name string, p reactor.Proto) (list []netip.Addr) {
	if addrs := l.sys.hosts[strings.TrimSuffix(name, ".")]; len(addrs) > 0 {
		return addrs
	}
	var kinds []uint16
	if l.wants(p, false) {
		kinds = append(kinds, dns.TypeA)
	}
	if l.wants(p, true) {
		kinds = append(kinds, dns.TypeAAAA)
	}
	found := make([][]dns.RR, len(kinds))
	each(l, kinds, func(i int) { found[i] = l.ask(l.ctx, name, kinds[i]) })
	for _, rrs := range found {
		for _, rr := range rrs {
			var a netip.Addr
			switch r := rr.(type) {
			case *dns.A:
				a, _ = netip.AddrFromSlice(r.A)
			case *dns.AAAA:
				a, _ = netip.AddrFromSlice(r.AAAA)
			}
			if a = a.Unmap(); a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && len(list) < MaxTargets {
				list = append(list, a)
			}
		}
	}
	return list
}

const (
	maxRecords = 64 // of an answer that are looked at
	maxAliases = 16 // CNAMEs one after the other
	maxRefers  = 4  // questions for what a server's CNAME leads to and it did not tell
)

// ask gives the records of a name and type, those that CNAMEs lead to. None is an
// answer, too; a failure is noted.
func (l *lookup) ask(ctx context.Context, name string, kind uint16) []dns.RR {
	for range maxRefers {
		if l.asked.Add(1) > maxQuestions {
			l.missed(0, errQuestions)
			return nil
		}
		r, err := l.dns.exchange(ctx, l.sys.servers, name, kind)
		if err != nil {
			l.missed(0, err)
			return nil
		}
		found, end, ttl := chase(r.Answer, name, kind)
		switch {
		case len(found) > 0:
			l.used(ttl)
			return found
		case end == "" || end == name || r.Rcode == dns.RcodeNameError:
			l.missed(absentFor(r), nil)
			return nil
		}
		l.used(ttl)
		name = end
	}
	l.missed(0, errQuestions)
	return nil
}

// chase gives the records of a type that an answer has for a name, through its
// CNAMEs, the name at their end and the shortest time to live on the way; an end
// of "" for a loop. What belongs to no name on the way is passed over.
func chase(answer []dns.RR, name string, kind uint16) (found []dns.RR, end string, ttl time.Duration) {
	ttl = forever
	for range maxAliases {
		alias := ""
		for i, rr := range answer {
			if i == maxRecords {
				break
			}
			h := rr.Header()
			if h.Class != dns.ClassINET || !strings.EqualFold(h.Name, name) {
				continue
			}
			age := time.Duration(h.Ttl) * time.Second
			if h.Ttl > 1<<31-1 { // RFC 2181 8
				age = 0
			}
			if h.Rrtype == kind {
				found, ttl = append(found, rr), min(ttl, age)
			} else if c, ok := rr.(*dns.CNAME); ok {
				alias, ttl = dns.CanonicalName(c.Target), min(ttl, age)
			}
		}
		if len(found) > 0 || alias == "" {
			return found, name, ttl
		}
		name = alias
	}
	return nil, "", ttl
}

// absentFor tells how long it may be kept that something is not there (RFC 2308 5).
func absentFor(r *dns.Msg) time.Duration {
	for _, rr := range r.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second
		}
	}
	return failedFor
}
