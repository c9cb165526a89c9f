package names

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"sipreactor/reactor/ports"
)

var plainA = Query{Host: "plain.example.com", Port: 5060}

const plainTarget = "udp:192.0.2.40:5060"

// ignore is a server that says nothing.
func ignore(dns.ResponseWriter, *dns.Msg) bool { return true }

// fail is a server that has a fault.
func fail(w dns.ResponseWriter, q *dns.Msg) bool {
	_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeServerFailure))
	return true
}

// What the first server does not tell, the next one is asked, and the first one
// last for a while.
func TestNextServer(t *testing.T) {
	for name, f := range map[string]func(dns.ResponseWriter, *dns.Msg) bool{
		"silent": ignore, "failing": fail,
		"refusing": func(w dns.ResponseWriter, q *dns.Msg) bool {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused))
			return true
		},
		"talking rubbish": func(w dns.ResponseWriter, q *dns.Msg) bool {
			_, _ = w.Write([]byte("rubbish"))
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := serve(t).does(f), serve(t, zone...)
			d := resolver(t, Config{Try: 50 * time.Millisecond}, "", bad, good)
			for range 3 {
				expect(t, d, plainA, plainTarget)
			}
			if n := len(bad.questions()); n != 1 {
				t.Errorf("the bad one was asked %d times", n)
			}
			only := resolver(t, Config{Try: 20 * time.Millisecond, Servers: 1}, "", bad, good)
			if _, _, err := lookUp(t, only, plainA); !errors.Is(err, ErrUnresolved) {
				t.Errorf("with one server: %v", err)
			}
		})
	}
	// One where nobody listens answers by ICMP, at once.
	closed, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	nobody := &server{addr: closed}
	began := time.Now()
	expect(t, resolver(t, Config{Timeout: 2 * patience}, "", nobody, serve(t, zone...)), plainA, plainTarget)
	if d := time.Since(began); d > patience/2 {
		t.Errorf("it took %v", d)
	}
}

// Each server is asked as often as it is to be, and all of it ends in time.
func TestTries(t *testing.T) {
	s := serve(t).does(ignore)
	d := resolver(t, Config{Try: 10 * time.Millisecond, Tries: 3}, "", s)
	if _, a, err := lookUp(t, d, plainA); !errors.Is(err, ErrUnresolved) || a.TTL != 0 {
		t.Errorf("%v %v", a, err)
	}
	if got := s.questions(); len(got) != 3 {
		t.Errorf("asked %q", got)
	}
	// Tries that do not fit into the time are shortened until they do.
	d = resolver(t, Config{Try: time.Hour, Tries: 2, Timeout: 100 * time.Millisecond}, "", s)
	if got := d.patience(); got != 50*time.Millisecond {
		t.Errorf("a try takes %v", got)
	}
	d = resolver(t, Config{}, "options timeout:1 attempts:5", s)
	if d.tries() != 5 || d.patience() != second {
		t.Errorf("%d tries of %v", d.tries(), d.patience())
	}
	for _, tc := range []struct {
		cfg  Config
		want time.Duration
	}{{Config{}, DefaultTimeout}, {Config{Try: second}, DefaultTimeout}, {Config{Try: 4 * second, Tries: 3}, 12 * second},
		{Config{Try: 60 * second, Tries: 21}, longestTimeout}, {Config{Try: 60 * second, Timeout: second}, second}} {
		if got := New(tc.cfg).Timeout(); got != tc.want {
			t.Errorf("%+v: %v, want %v", tc.cfg, got, tc.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := d.Lookup(ctx, plainA); !errors.Is(err, ErrUnresolved) {
		t.Error(err)
	}
}

// Where nobody answers questions for NAPTR, the rest is found all the same.
func TestSilentAboutNAPTR(t *testing.T) {
	s := serve(t, zone...)
	s.does(func(_ dns.ResponseWriter, q *dns.Msg) bool { return q.Question[0].Qtype == dns.TypeNAPTR })
	d := resolver(t, Config{Timeout: 1500 * time.Millisecond}, "", s)
	a := expect(t, d, Query{Host: "srv.example.com", Secure: true}, "tls:192.0.2.5:5091")
	if a.TTL > failedFor { // there may be more
		t.Errorf("kept for %v", a.TTL)
	}
}

// A truncated answer is asked for over TCP.
func TestTruncated(t *testing.T) {
	s := serve(t, zone...)
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
		if _, ok := w.RemoteAddr().(*net.UDPAddr); !ok {
			return false
		}
		r := new(dns.Msg).SetReply(q)
		r.Truncated = true
		_ = w.WriteMsg(r)
		return true
	})
	expect(t, resolver(t, Config{}, "", s), plainA, plainTarget)
	if got := s.questions(); !slices.Equal(got, []string{"A plain.example.com.", "tcp A plain.example.com."}) {
		t.Errorf("%q", got)
	}
}

// A server that knows no EDNS is asked without.
func TestWithoutEDNS(t *testing.T) {
	s := serve(t, zone...)
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
		if q.IsEdns0() == nil {
			return false
		}
		r := new(dns.Msg).SetRcode(q, dns.RcodeFormatError)
		r.Question = nil
		_ = w.WriteMsg(r)
		return true
	})
	expect(t, resolver(t, Config{}, "", s), plainA, plainTarget)
}

// Answers that do not fit the question are passed over; where there are many of
// them, TCP is used, where nobody can slip them in.
func TestLies(t *testing.T) {
	for _, tc := range []struct {
		name string
		lies int
		lie  func(r *dns.Msg)
	}{
		{"another id", 3, func(r *dns.Msg) { r.Id++ }},
		{"another name", 3, func(r *dns.Msg) { r.Question[0].Name = "evil.example.com." }},
		{"another type", 3, func(r *dns.Msg) { r.Question[0].Qtype = dns.TypeTXT }},
		{"a question", 3, func(r *dns.Msg) { r.Response = false }},
		{"no question", 3, func(r *dns.Msg) { r.Question = nil }},
		{"a flood", 100, func(r *dns.Msg) { r.Id++ }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, zone...)
			s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
				if _, ok := w.RemoteAddr().(*net.UDPAddr); !ok {
					return false
				}
				r := s.answer(q)
				r.Answer[0] = &dns.A{Hdr: *r.Answer[0].Header(), A: net.IPv4(6, 6, 6, 6)}
				tc.lie(r)
				for range tc.lies {
					_ = w.WriteMsg(r)
				}
				return false
			})
			expect(t, resolver(t, Config{}, "", s), plainA, plainTarget)
		})
	}
	// Records that belong to another name are none of the answer.
	s := serve(t, zone...)
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
		r := s.answer(q)
		evil, _ := dns.NewRR("evil.example.com. 60 IN A 6.6.6.6")
		r.Answer = append([]dns.RR{evil}, r.Answer...)
		_ = w.WriteMsg(r)
		return true
	})
	expect(t, resolver(t, Config{}, "", s), plainA, plainTarget)
}

// Neither ids nor ports can be guessed from those before.
func TestIDsAndPorts(t *testing.T) {
	s := serve(t, zone...)
	d := resolver(t, Config{}, "", s)
	for range 50 {
		expect(t, d, plainA, plainTarget)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	distinct := func(list []uint16) int {
		list = slices.Clone(list)
		slices.Sort(list)
		return len(slices.Compact(list))
	}
	if ids, ports := distinct(s.ids), distinct(s.ports); ids < 45 || ports < 40 {
		t.Errorf("%d ids, %d ports in 50 questions", ids, ports)
	}
	ordered := 0
	for i := 1; i < len(s.ids); i++ {
		if s.ids[i] == s.ids[i-1]+1 {
			ordered++
		}
	}
	if ordered > 5 {
		t.Errorf("ids follow one another: %v", s.ids)
	}
}

// Look-ups without end are told so.
func TestQuestionsAreBounded(t *testing.T) {
	s := serve(t)
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool { // a CNAME to another name, always
		r := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR(q.Question[0].Name + " 60 IN CNAME x" + q.Question[0].Name)
		r.Answer = append(r.Answer, rr)
		_ = w.WriteMsg(r)
		return true
	})
	_, _, err := lookUp(t, resolver(t, Config{TryIPv6: true}, "search a b c d e f g h", s), Query{Host: "endless.example.com"})
	if !errors.Is(err, errQuestions) {
		t.Error(err)
	}
	if n := len(s.questions()); n > maxQuestions {
		t.Errorf("%d questions", n)
	}
}

func TestSickServers(t *testing.T) {
	a, b, c := serve(t), serve(t), serve(t)
	servers := resolver(t, Config{}, "", a, b, c).files.current().servers
	var s sick
	now := time.Unix(1000, 0)
	s.note(servers[0], now)
	if got := s.last(servers, now); got[0] != servers[1] || got[2] != servers[0] {
		t.Errorf("%v", got)
	}
	if got := s.last(servers, now.Add(sickTime)); got[0] != servers[0] {
		t.Errorf("forever: %v", got)
	}
	s.forget(servers[0])
	if got := s.last(servers, now); got[0] != servers[0] {
		t.Errorf("not forgotten: %v", got)
	}
	if !strings.Contains(servers[0].String(), "127.0.0.1") {
		t.Error(servers)
	}
}
