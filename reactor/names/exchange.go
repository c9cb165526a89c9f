package names

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	datagramSize = 1232    // that we tell servers to keep to (DNS flag day 2020)
	readSize     = 1 << 16 // what those send that do not
	maxMisfits   = 16      // answers that fit no question before we ask over TCP
	maxAsking    = 512     // questions under way at the same time
)

// errServers: resolv.conf names none.
var errServers = errors.New("names: no server to ask")

// exchange asks servers in turn until one has an answer: that there is none, too.
func (d *DNS) exchange(ctx context.Context, servers []netip.AddrPort, name string, kind uint16) (*dns.Msg, error) {
	if _, ok := dns.IsDomainName(name); !ok {
		return nil, fmt.Errorf("names: %q is no domain name", name)
	}
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d.cfg.Servers > 0 && len(servers) > d.cfg.Servers {
		servers = servers[:d.cfg.Servers]
	}
	last := errServers
	for range d.tries() {
		for _, server := range d.sick.last(servers, time.Now()) {
			r, err := d.try(ctx, server, name, kind)
			if err == nil {
				d.sick.forget(server)
				return r, nil
			}
			if ctx.Err() != nil {
				return nil, fmt.Errorf("no answer in time: %w", err)
			}
			d.sick.note(server, time.Now())
			last = fmt.Errorf("%v: %w", server, err)
		}
	}
	return nil, last
}

// try asks one server once.
func (d *DNS) try(ctx context.Context, server netip.AddrPort, name string, kind uint16) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	q := question(name, kind)
	r, err := d.over(ctx, "udp", server, q)
	if err == nil && (r.Rcode == dns.RcodeFormatError || r.Rcode == dns.RcodeNotImplemented) { // it may know no EDNS
		q.Extra = nil
		r, err = d.over(ctx, "udp", server, q)
	}
	if errors.Is(err, errMisfits) || err == nil && r.Truncated {
		r, err = d.over(ctx, "tcp", server, q)
	}
	switch {
	case err != nil:
		return nil, err
	case r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("the server says %s", dns.RcodeToString[r.Rcode])
	}
	return r, nil
}

// question makes a question with an id that nobody can guess.
func question(name string, kind uint16) *dns.Msg {
	q := &dns.Msg{Question: []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}}
	q.Id, q.RecursionDesired = uint16(rand.Uint32()), true
	q.SetEdns0(datagramSize, false)
	return q
}

// errMisfits: somebody sends answers that are none.
var errMisfits = errors.New("names: too many answers that fit no question")

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// over asks over one transport. Its socket is for this question alone, so its port
// is as random as the kernel makes it, and nobody but the server is heard.
func (d *DNS) over(ctx context.Context, network string, server netip.AddrPort, q *dns.Msg) (*dns.Msg, error) {
	raw, err := q.Pack()
	if err != nil {
		return nil, err
	}
	c, err := new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if network == "tcp" {
		co := &dns.Conn{Conn: c}
		if _, err := co.Write(raw); err != nil {
			return nil, err
		}
		r, err := co.ReadMsg()
		if err == nil && !fits(r, q) {
			err = errMisfits
		}
		return r, err
	}
	if _, err := c.Write(raw); err != nil {
		return nil, err
	}
	buf := readBuffers.Get().(*[readSize]byte)
	defer readBuffers.Put(buf)
	for range maxMisfits {
		n, err := c.Read(buf[:])
		if err != nil {
			return nil, err
		}
		r := new(dns.Msg)
		if err := r.Unpack(buf[:n]); (err == nil || r.Truncated) && fits(r, q) {
			return r, nil
		}
	}
	return nil, errMisfits
}

// fits reports whether a message answers a question.
func fits(r, q *dns.Msg) bool {
	if r.Id != q.Id || !r.Response || r.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(r.Question) == 0 && r.Rcode == dns.RcodeFormatError { // it could not read the question
		return true
	}
	return len(r.Question) == 1 &&
		r.Question[0].Qtype == q.Question[0].Qtype && r.Question[0].Qclass == dns.ClassINET &&
		strings.EqualFold(r.Question[0].Name, q.Question[0].Name)
}

// sickTime is how long a server that did not answer is asked after the others.
const sickTime = 30 * time.Second

// sick remembers servers that did not answer. Any goroutine.
type sick struct {
	mu    sync.Mutex
	since map[netip.AddrPort]time.Time
}

func (s *sick) note(server netip.AddrPort, now time.Time) {
	s.mu.Lock()
	if s.since == nil || len(s.since) >= 64 { // of many resolv.confs
		s.since = make(map[netip.AddrPort]time.Time)
	}
	s.since[server] = now
	s.mu.Unlock()
}

func (s *sick) forget(server netip.AddrPort) {
	s.mu.Lock()
	delete(s.since, server)
	s.mu.Unlock()
}

// last gives servers with those at the end that did not answer lately.
func (s *sick) last(servers []netip.AddrPort, now time.Time) []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.since) == 0 {
		return servers
	}
	list := slices.Clone(servers)
	slices.SortStableFunc(list, func(a, b netip.AddrPort) int {
		return s.age(a, now) - s.age(b, now)
	})
	return list
}

// age is 1 for a server that is sick. The lock is held.
func (s *sick) age(server netip.AddrPort, now time.Time) int {
	if at, ok := s.since[server]; ok && now.Sub(at) < sickTime {
		return 1
	}
	return 0
}

// Records asks the system's servers for the records of one type that a name has, such as
// dns.TypeNAPTR; none is no error. The answer is not kept, and the search list not used. It
// blocks, for as long as the context and Timeout let it.
func (d *DNS) Records(ctx context.Context, name string, kind uint16) (list []dns.RR, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	r, err := d.exchange(ctx, d.files.current().servers, dns.Fqdn(name), kind)
	if err != nil {
		return nil, err
	}
	for _, rr := range r.Answer { // behind a CNAME, too, which the server has followed
		if rr.Header().Rrtype == kind && len(list) < maxRecords {
			list = append(list, rr)
		}
	}
	return list, nil
}
