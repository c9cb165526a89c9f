package names

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"sipreactor/reactor"
)

// server is a name server of a test: over UDP and TCP, with a zone, unless handle
// does something else.
type server struct {
	testing.TB
	addr string

	mu     sync.Mutex
	zone   []dns.RR
	asked  []string // "TYPE name" of each question, "tcp " before those over TCP
	ids    []uint16
	ports  []uint16
	handle func(w dns.ResponseWriter, q *dns.Msg) bool // false: the zone answers
}

const soa = "example.com. 300 IN SOA ns.example.com. admin.example.com. 1 2 3 4 7"

func serve(t testing.TB, zone ...string) *server {
	t.Helper()
	s := &server{TB: t}
	for _, line := range append(zone, soa) {
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(line, err)
		}
		s.zone = append(s.zone, rr)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = pc.LocalAddr().String()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		pc.Close()
		t.Skip("the port is taken over TCP:", err)
	}
	for _, d := range []*dns.Server{{PacketConn: pc, Handler: s}, {Listener: l, Handler: s}} {
		ready := make(chan struct{})
		d.NotifyStartedFunc = func() { close(ready) }
		go func() { _ = d.ActivateAndServe() }()
		<-ready
		t.Cleanup(func() { _ = d.Shutdown() })
	}
	return s
}

// does has the server do something else than its zone says.
func (s *server) does(f func(w dns.ResponseWriter, q *dns.Msg) bool) *server {
	s.mu.Lock()
	s.handle = f
	s.mu.Unlock()
	return s
}

func (s *server) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	what := dns.TypeToString[q.Question[0].Qtype] + " " + q.Question[0].Name
	s.mu.Lock()
	if a, ok := w.RemoteAddr().(*net.UDPAddr); ok {
		s.ports = append(s.ports, uint16(a.Port))
	} else {
		what = "tcp " + what
	}
	s.asked, s.ids = append(s.asked, what), append(s.ids, q.Id)
	handle := s.handle
	s.mu.Unlock()
	if handle == nil || !handle(w, q) {
		_ = w.WriteMsg(s.answer(q))
	}
}

// answer makes the zone's answer, with CNAMEs and where they lead to.
func (s *server) answer(q *dns.Msg) *dns.Msg {
	r := new(dns.Msg)
	r.SetReply(q)
	name := q.Question[0].Name
	known := false
	for range 4 {
		alias := ""
		for _, rr := range s.zone {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			known = true
			if rr.Header().Rrtype == q.Question[0].Qtype {
				r.Answer = append(r.Answer, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				r.Answer, alias = append(r.Answer, rr), c.Target
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if !known {
		r.Rcode = dns.RcodeNameError
	}
	if len(r.Answer) == 0 {
		r.Ns = append(r.Ns, s.zone[len(s.zone)-1])
	}
	return r
}

// questions gives what was asked since the last call.
func (s *server) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.asked
	s.asked = nil
	return list
}

// resolver makes a DNS on a resolv.conf with these servers and options.
func resolver(t testing.TB, cfg Config, conf string, servers ...*server) *DNS {
	t.Helper()
	dir := t.TempDir()
	for _, s := range servers {
		conf += "\nnameserver " + s.addr
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cfg.ResolvConf = write("resolv.conf", conf)
	if cfg.Hosts == "" {
		cfg.Hosts = write("hosts", "")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	return New(cfg)
}

// lookup gives an answer as text.
func lookUp(t testing.TB, d *DNS, q Query) ([]string, Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d.cfg.Timeout)
	defer cancel()
	a, err := d.Lookup(ctx, q)
	return texts(a.Targets), a, err
}

func texts(list []Target) (all []string) {
	for _, t := range list {
		all = append(all, fmt.Sprintf("%v:%v", t.Proto, t.Addr))
	}
	return all
}

// expect checks an answer.
func expect(t testing.TB, d *DNS, q Query, want ...string) Answer {
	t.Helper()
	got, a, err := lookUp(t, d, q)
	if !slices.Equal(got, want) || (err == nil) != (len(want) > 0) {
		t.Errorf("%+v: %q, %v, want %q", q, got, err, want)
	}
	return a
}

// ipv4 is what a node with UDP, TCP and TLS listeners on IPv4 reaches.
var ipv4 = ReachOf(reactor.UDP, false) | ReachOf(reactor.TCP, false) | ReachOf(reactor.TLS, false)

func addrs(list ...string) (all []netip.Addr) {
	for _, s := range list {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

const second = time.Second
