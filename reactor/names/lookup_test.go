package names

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"sipreactor/reactor"
)

// The zone of RFC 3263 4.1's example, and what else there is.
var zone = []string{
	`example.com. 600 IN NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.example.com.`,
	`example.com. 600 IN NAPTR 90 50 "s" "SIP+D2T" "" _sip._tcp.example.com.`,
	`example.com. 600 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.com.`,
	"_sips._tcp.example.com. 500 IN SRV 0 1 5061 tls.example.com.",
	"_sip._tcp.example.com. 500 IN SRV 0 1 5060 server1.example.com.",
	"_sip._tcp.example.com. 500 IN SRV 1 1 5070 server2.example.com.",
	"_sip._udp.example.com. 500 IN SRV 0 1 5060 server1.example.com.",
	"tls.example.com. 400 IN A 192.0.2.5", "tls.example.com. 400 IN AAAA 2001:db8::5",
	"server1.example.com. 300 IN A 192.0.2.1", "server1.example.com. 30 IN A 192.0.2.11",
	"server2.example.com. 300 IN A 192.0.2.2",

	// No NAPTR; UDP is refused.
	"_sip._udp.srv.example.com. 60 IN SRV 0 0 0 .",
	"_sip._tcp.srv.example.com. 60 IN SRV 20 0 5072 server2.example.com.",
	"_sip._tcp.srv.example.com. 60 IN SRV 10 0 5071 server1.example.com.",
	"_sips._tcp.srv.example.com. 60 IN SRV 10 0 5091 tls.example.com.",
	"srv.example.com. 60 IN A 192.0.2.99",

	// NAPTR of all sorts: preferences, flags a and u, services of others.
	`mixed.example.com. 60 IN NAPTR 10 30 "A" "sip+d2u" "" server2.example.com.`,
	`mixed.example.com. 60 IN NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp.srv.example.com.`,
	`mixed.example.com. 60 IN NAPTR 10 10 "s" "SIP+D2S" "" _sip._sctp.example.com.`,
	`mixed.example.com. 60 IN NAPTR 10 10 "s" "SIP+D2W" "" _sip._ws.example.com.`,
	`mixed.example.com. 60 IN NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:x@example.com!" .`,
	`mixed.example.com. 60 IN NAPTR 20 10 "s" "SIPS+D2T" "" _sips._tcp.example.com.`,

	`web.example.com. 60 IN NAPTR 10 10 "s" "SIPS+D2W" "" _sips._ws.web.example.com.`,
	`web.example.com. 60 IN NAPTR 10 20 "a" "SIP+D2W" "" server2.example.com.`,
	"_sips._ws.web.example.com. 60 IN SRV 0 1 7443 server1.example.com.",
	"web.example.com. 60 IN A 192.0.2.60",

	// NAPTR that nobody here can use: as if there were none.
	`enum.example.com. 60 IN NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:x@example.com!" .`,
	"enum.example.com. 60 IN A 192.0.2.50",

	"plain.example.com. 60 IN A 192.0.2.40",
	"v6.example.com. 60 IN AAAA 2001:db8::6",
	"nothing.example.com. 60 IN TXT x",
	"zero.example.com. 60 IN A 0.0.0.0", "zero.example.com. 60 IN A 224.0.0.1",

	"alias.example.com. 20 IN CNAME alias2.example.com.", "alias2.example.com. 60 IN CNAME plain.example.com.",
	"_sips._tcp.alias.example.com. 60 IN CNAME _sips._tcp.example.com.",
	"loop1.example.com. 60 IN CNAME loop2.example.com.", "loop2.example.com. 60 IN CNAME loop1.example.com.",

	"_sip._udp.off.example.com. 60 IN SRV 0 0 0 .", "_sip._tcp.off.example.com. 60 IN SRV 0 0 0 .",
	"_sips._tcp.off.example.com. 60 IN SRV 0 0 0 .", "off.example.com. 60 IN A 192.0.2.60",
}

// RFC 3263 4.1 and 4.2.
func TestLookup(t *testing.T) {
	s := serve(t, zone...)
	web := ipv4 | ReachOf(reactor.WS, false) | ReachOf(reactor.WSS, false)
	v6 := ReachOf(reactor.TLS, true) | ReachOf(reactor.UDP, true)
	for _, tc := range []struct {
		name string
		cfg  Config
		q    Query
		want []string
	}{
		{"NAPTR: the lowest order", Config{}, Query{Host: "example.com", Reach: ipv4}, []string{"tls:192.0.2.5:5061"}},
		{"NAPTR: what we have", Config{}, Query{Host: "example.com", Reach: ReachOf(reactor.UDP, false)},
			[]string{"udp:192.0.2.1:5060", "udp:192.0.2.11:5060"}},
		{"NAPTR of a SIPS URI", Config{}, Query{Host: "example.com", Secure: true, Reach: ipv4}, []string{"tls:192.0.2.5:5061"}},
		{"NAPTR: preferences, flags, services", Config{}, Query{Host: "mixed.example.com", Reach: ipv4},
			[]string{"tcp:192.0.2.1:5071", "tcp:192.0.2.11:5071", "tcp:192.0.2.2:5072", "udp:192.0.2.2:5060"}},
		{"NAPTR of WebSocket (RFC 7118)", Config{}, Query{Host: "web.example.com", Reach: web}, []string{"wss:192.0.2.1:7443", "wss:192.0.2.11:7443", "ws:192.0.2.2:80"}},
		{"NAPTR of WebSocket where we have none", Config{}, Query{Host: "web.example.com", Reach: ipv4}, []string{"udp:192.0.2.60:5060"}},
		{"NAPTR of WebSocket, of a SIPS URI", Config{}, Query{Host: "web.example.com", Secure: true, Reach: web}, []string{"wss:192.0.2.1:7443", "wss:192.0.2.11:7443"}},
		{"WebSocket without NAPTR", Config{}, Query{Host: "plain.example.com", Proto: reactor.WS, Reach: web}, []string{"ws:192.0.2.40:80"}},
		{"NAPTR of no use", Config{}, Query{Host: "enum.example.com", Reach: ipv4}, []string{"udp:192.0.2.50:5060"}},
		{"NAPTR left out", Config{NoNAPTR: true}, Query{Host: "example.com", Reach: ipv4},
			[]string{"udp:192.0.2.1:5060", "udp:192.0.2.11:5060", "tcp:192.0.2.1:5060", "tcp:192.0.2.11:5060", "tcp:192.0.2.2:5070", "tls:192.0.2.5:5061"}},
		{"SRV of each transport", Config{}, Query{Host: "srv.example.com", Reach: ipv4},
			[]string{"tcp:192.0.2.1:5071", "tcp:192.0.2.11:5071", "tcp:192.0.2.2:5072", "tls:192.0.2.5:5091"}},
		{"SRV of a SIPS URI", Config{}, Query{Host: "srv.example.com", Secure: true, Reach: ipv4}, []string{"tls:192.0.2.5:5091"}},
		{"SRV: the transport is said", Config{}, Query{Host: "example.com", Proto: reactor.TCP, Reach: ipv4},
			[]string{"tcp:192.0.2.1:5060", "tcp:192.0.2.11:5060", "tcp:192.0.2.2:5070"}},
		{"SRV: the service is not there", Config{}, Query{Host: "srv.example.com", Proto: reactor.UDP, Reach: ipv4}, nil},
		{"SRV: no service is there", Config{}, Query{Host: "off.example.com", Reach: ipv4}, nil},
		{"SRV by a CNAME", Config{}, Query{Host: "alias.example.com", Proto: reactor.TLS, Reach: ipv4}, []string{"tls:192.0.2.5:5061"}},
		{"a port: no SRV", Config{}, Query{Host: "srv.example.com", Port: 5099, Fallback: reactor.UDP, Reach: ipv4}, []string{"udp:192.0.2.99:5099"}},
		{"a port and a transport", Config{}, Query{Host: "srv.example.com", Port: 5099, Proto: reactor.TLS, Reach: ipv4}, []string{"tls:192.0.2.99:5099"}},
		{"a port and sips", Config{}, Query{Host: "srv.example.com", Port: 5099, Secure: true, Reach: ipv4}, []string{"tls:192.0.2.99:5099"}},
		{"nothing but A", Config{}, Query{Host: "plain.example.com", Fallback: reactor.UDP, Reach: ipv4}, []string{"udp:192.0.2.40:5060"}},
		{"nothing but A, for TLS", Config{}, Query{Host: "plain.example.com", Proto: reactor.TLS, Reach: ipv4}, []string{"tls:192.0.2.40:5061"}},
		{"nothing but A, and another fallback", Config{}, Query{Host: "plain.example.com", Fallback: reactor.TCP, Reach: ipv4}, []string{"tcp:192.0.2.40:5060"}},
		{"another default port", Config{Port: func(reactor.Proto) uint16 { return 7777 }}, Query{Host: "plain.example.com", Reach: ipv4}, []string{"udp:192.0.2.40:7777"}},
		{"CNAME", Config{}, Query{Host: "alias.example.com", Port: 5060, Reach: ipv4}, []string{"udp:192.0.2.40:5060"}},
		{"CNAMEs in a circle", Config{}, Query{Host: "loop1.example.com", Reach: ipv4}, nil},
		{"neither record", Config{}, Query{Host: "nothing.example.com", Reach: ipv4}, nil},
		{"no such name", Config{}, Query{Host: "none.example.com", Reach: ipv4}, nil},
		{"addresses that are none", Config{}, Query{Host: "zero.example.com", Reach: ipv4}, nil},
		{"IPv6 where we have IPv4", Config{}, Query{Host: "v6.example.com", Reach: ipv4 | v6}, nil},
		{"IPv6 where it is allowed", Config{TryIPv6: true}, Query{Host: "v6.example.com", Reach: ipv4 | v6}, []string{"udp:[2001:db8::6]:5060"}},
		{"IPv6 behind IPv4", Config{TryIPv6: true}, Query{Host: "example.com", Secure: true, Reach: ipv4 | v6},
			[]string{"tls:192.0.2.5:5061", "tls:[2001:db8::5]:5061"}},
		{"IPv6 without a listener for it", Config{TryIPv6: true}, Query{Host: "v6.example.com", Reach: ipv4}, nil},
		{"IPv6 alone", Config{}, Query{Host: "example.com", Secure: true, Reach: v6}, []string{"tls:[2001:db8::5]:5061"}},
		{"a name that is none", Config{}, Query{Host: strings.Repeat("a", 64) + ".example.com", Reach: ipv4}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) { expect(t, resolver(t, tc.cfg, "", s), tc.q, tc.want...) })
	}
}

// What is asked is what has to be: nothing more for whoever says port and
// transport, and no address of a family that we have not.
func TestQuestions(t *testing.T) {
	s := serve(t, zone...)
	for _, tc := range []struct {
		q    Query
		want []string
	}{
		{Query{Host: "plain.example.com", Proto: reactor.UDP, Port: 5060, Reach: ipv4}, []string{"A plain.example.com."}},
		{Query{Host: "srv.example.com", Proto: reactor.TLS, Reach: ipv4}, []string{"SRV _sips._tcp.srv.example.com.", "A tls.example.com."}},
		{Query{Host: "example.com", Reach: ipv4}, []string{"NAPTR example.com.", "SRV _sips._tcp.example.com.", "A tls.example.com."}},
		{Query{Host: "plain.example.com", Fallback: reactor.TLS, Reach: ReachOf(reactor.TLS, false)},
			[]string{"NAPTR plain.example.com.", "SRV _sips._tcp.plain.example.com.", "A plain.example.com."}},
	} {
		_, _, _ = lookUp(t, resolver(t, Config{}, "", s), tc.q)
		if got := s.questions(); !slices.Equal(got, tc.want) {
			t.Errorf("%+v: asked %q, want %q", tc.q, got, tc.want)
		}
	}
}

// Priority and weight come with the targets.
func TestTiers(t *testing.T) {
	s := serve(t, "_sip._tcp.w.example.com. 60 IN SRV 10 70 5061 a.example.com.", "_sip._tcp.w.example.com. 60 IN SRV 10 30 5062 b.example.com.",
		"_sip._tcp.w.example.com. 60 IN SRV 20 5 5063 b.example.com.", "a.example.com. 60 IN A 192.0.2.1", "a.example.com. 60 IN A 192.0.2.2", "b.example.com. 60 IN A 192.0.2.3")
	a := expect(t, resolver(t, Config{}, "", s), Query{Host: "w.example.com", Proto: reactor.TCP},
		"tcp:192.0.2.1:5061", "tcp:192.0.2.2:5061", "tcp:192.0.2.3:5062", "tcp:192.0.2.3:5063")
	for i, want := range []Target{{Weight: 70}, {Weight: 70}, {Item: 1, Weight: 30}, {Tier: 1, Weight: 5}} {
		if got := a.Targets[i]; got.Tier != want.Tier || got.Item != want.Item || got.Weight != want.Weight {
			t.Errorf("target %d: %+v", i, got)
		}
	}
}

// An answer is kept as long as the shortest of its records says, within bounds,
// and that there is none as long as the zone says (RFC 2308 5).
func TestTimeToLive(t *testing.T) {
	s := serve(t, append(zone, "short.example.com. 0 IN A 192.0.2.1", "long.example.com. 2000000 IN A 192.0.2.1",
		"negative.example.com. 4294967295 IN A 192.0.2.1")...)
	for _, tc := range []struct {
		q    Query
		want string
	}{
		{Query{Host: "example.com", Reach: ipv4}, "6m40s"},
		{Query{Host: "example.com", Proto: reactor.UDP, Reach: ipv4}, "30s"},
		{Query{Host: "alias.example.com", Port: 5060, Reach: ipv4}, "20s"},
		{Query{Host: "short.example.com", Port: 5060, Reach: ipv4}, "1s"},
		{Query{Host: "negative.example.com", Port: 5060, Reach: ipv4}, "1s"},
		{Query{Host: "long.example.com", Port: 5060, Reach: ipv4}, "1h0m0s"},
		{Query{Host: "none.example.com", Port: 5060, Reach: ipv4}, "7s"},
		{Query{Host: "nothing.example.com", Reach: ipv4}, "7s"},
	} {
		if _, a, _ := lookUp(t, resolver(t, Config{}, "", s), tc.q); a.TTL.String() != tc.want {
			t.Errorf("%+v: kept for %v, want %s", tc.q, a.TTL, tc.want)
		}
	}
}

// A server that does not follow CNAMEs is asked for what they lead to.
func TestCNAMEWithoutItsEnd(t *testing.T) {
	s := serve(t, zone...)
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
		r := s.answer(q)
		if len(r.Answer) > 1 {
			r.Answer = r.Answer[:1]
		}
		_ = w.WriteMsg(r)
		return true
	})
	expect(t, resolver(t, Config{}, "", s), Query{Host: "alias.example.com", Port: 5060}, "udp:192.0.2.40:5060")
	if got := s.questions(); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// A name that leads to hundreds of records and hosts costs no more than the bounds
// allow, and the best of it is used.
func TestHugeAnswer(t *testing.T) {
	var big []string
	for i := range 400 {
		big = append(big, fmt.Sprintf("_sip._udp.big.example.com. 60 IN SRV %d 1 5060 h%d.example.com.", 1000-i, i),
			fmt.Sprintf("h%d.example.com. 60 IN A 192.0.2.%d", i, i%250+1), fmt.Sprintf("h%d.example.com. 60 IN A 198.51.100.%d", i, i%250+1),
			fmt.Sprintf("many.example.com. 60 IN A 10.0.%d.%d", i/250, i%250+1))
	}
	s := serve(t, big...)
	got, _, err := lookUp(t, resolver(t, Config{}, "", s), Query{Host: "big.example.com", Proto: reactor.UDP})
	if err != nil || len(got) != MaxTargets {
		t.Errorf("%d targets, %v", len(got), err)
	}
	if n := len(s.questions()); n > 2*MaxTargets+2 {
		t.Errorf("%d questions", n)
	}
	if got, _, err := lookUp(t, resolver(t, Config{}, "", s), Query{Host: "many.example.com", Port: 5060}); err != nil || len(got) != MaxTargets {
		t.Errorf("%d targets, %v", len(got), err)
	}
}

// The search list completes names as resolv.conf(5) says.
func TestSearchList(t *testing.T) {
	s := serve(t, "pbx.example.com. 60 IN A 192.0.2.1", "pbx.sub.example.org. 60 IN A 192.0.2.2", "pbx.sub. 60 IN A 192.0.2.3")
	const conf = "search example.net example.com example.org"
	q := func(host string) Query { return Query{Host: host, Port: 5060} }
	expect(t, resolver(t, Config{}, conf, s), q("pbx"), "udp:192.0.2.1:5060")
	expect(t, resolver(t, Config{}, conf, s), q("pbx.sub"), "udp:192.0.2.3:5060")
	expect(t, resolver(t, Config{}, conf+"\noptions ndots:2", s), q("pbx.sub"), "udp:192.0.2.2:5060")
	expect(t, resolver(t, Config{NoSearch: true}, conf, s), q("pbx"))
	s.questions()
	expect(t, resolver(t, Config{}, conf, s), q("pbx.example.com."), "udp:192.0.2.1:5060")
	if got := s.questions(); len(got) != 1 {
		t.Errorf("%q", got)
	}
	// A server that fails does not make somebody else's name ours.
	s.does(func(w dns.ResponseWriter, q *dns.Msg) bool {
		if q.Question[0].Name != "pbx.sub." {
			return false
		}
		r := new(dns.Msg)
		_ = w.WriteMsg(r.SetRcode(q, dns.RcodeServerFailure))
		return true
	})
	_, a, err := lookUp(t, resolver(t, Config{}, conf, s), q("pbx.sub"))
	if !errors.Is(err, ErrUnresolved) || a.TTL != 0 || !strings.Contains(err.Error(), "SERVFAIL") {
		t.Errorf("%v, %v", a, err)
	}
}

// A question that panics has no answer, which is no answer that there is nothing.
func TestPanicIsNoAnswer(t *testing.T) {
	l := &lookup{}
	done := 0
	each(l, []int{0, 1}, func(i int) {
		if i == 0 {
			panic("a strange answer")
		}
		done++
	})
	if l.failure == nil || l.absent != 0 || done != 1 {
		t.Errorf("failure %v, absent for %v; %d others are asked", l.failure, l.absent, done)
	}
}
