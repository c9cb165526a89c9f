package transaction

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
)

// party is the ends of a flow: alice calls bob, and where the proxy thinks so carol.
type party struct {
	*live
	alice, bob, carol *agent
	dialog            []string // header lines of alice's requests in the dialog
	seq               int
	other             atomic.Value // carol's URI, for the routes
}

// elsewhere is carol's URI, for routes, which run on other goroutines.
func (p *party) elsewhere() []byte { return []byte(p.other.Load().(string)) }

// refused acknowledges a final response to alice's INVITE.
func (p *party) refused(final, id, branch string, more ...string) {
	p.alice.ask("ACK", p.bob.uri("bob"), id, branch, append([]string{"To: " + header(p.T, final, "To")}, more...)...)
}

// up has alice's INVITE answered with 200 by a callee, and acknowledged.
func (p *party) up(callee *agent, invite, id string) {
	p.Helper()
	callee.answerTo(invite, "200 OK", "Contact: <"+callee.uri("callee")+">")
	ok := p.alice.expect("SIP/2.0 200")
	m := parse(p.T, ok)
	var route []string
	for i := m.FindName([]byte("Record-Route")); i >= 0; i = m.FindNameNext([]byte("Record-Route"), i) {
		route = append([]string{"Route: " + string(m.Bytes(m.Header(i).Value))}, route...)
	}
	p.dialog = []string{"To: " + header(p.T, ok, "To"), strings.Join(route, "\r\n")}
	n, _, _ := m.CSeq()
	p.seq = int(n)
	p.within(callee, "ACK", id, 0)
}

// within has alice send a request in the dialog, and the callee answer it with 200 unless it is an ACK.
func (p *party) within(callee *agent, method, id string, step int) {
	p.Helper()
	p.seq += step
	branch := fmt.Sprintf("%s%d", method, p.seq)
	p.alice.ask(method, callee.uri("callee"), id, branch, append([]string{fmt.Sprintf("CSeq: %d %s", p.seq, method)}, p.dialog...)...)
	got := callee.expect(method)
	if header(p.T, got, "Route") != "" {
		p.Errorf("a Route of ours is left: %s", got)
	}
	if method != "ACK" {
		callee.answerTo(got, "200 OK", "Contact: <"+callee.uri("callee")+">")
		p.alice.expect("SIP/2.0 200")
	}
}

// invite has alice call bob and returns what a callee got.
func (p *party) invite(callee *agent, id string, more ...string) string {
	p.Helper()
	p.alice.ask("INVITE", p.bob.uri("bob"), id, id, more...)
	return callee.expect("INVITE")
}

// service is a flow with what the proxy does in it; nil: it relays.
type service struct {
	name   string
	timing func(t *Timing)
	routes func(r *routes, p *party)
	flow   func(p *party, id string)
}

// services are flows of RFC 3665 3 and of RFC 5359 2, as far as a proxy has a part in them, RFC 3262 and 3311, and forks
// of RFC 3261 16.7.
var services = []service{
	{name: "RFC 3665 3.3: proxy authentication", routes: func(r *routes, _ *party) {
		r.request = func(c ctx) {
			if c.HasToTag() {
				c.LooseRoute()
			} else if _ = c.RecordRoute(nil); c.Msg.FindName([]byte("Proxy-Authorization")) < 0 && string(c.Msg.MethodName()) == "INVITE" {
				_ = c.AppendToResponse([]byte("Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"))
				r.l.Respond(c, 407, nil, nil)
				return
			}
			r.relay(c)
		}
	}, flow: func(p *party, id string) {
		p.alice.ask("INVITE", p.bob.uri("bob"), id, id)
		p.refused(p.alice.expect("SIP/2.0 407"), id, id)
		invite := p.invite2(id, "CSeq: 2 INVITE", "Proxy-Authorization: Digest username=\"alice\"")
		p.up(p.bob, invite, id)
		p.within(p.bob, "BYE", id, 1)
	}},
	{name: "RFC 3665 3.6: redirected", routes: func(r *routes, p *party) {
		r.failure = func(c ctx, x *Exchange, best *Leg) {
			if best.Status() == 302 {
				_ = c.SetRequestURI(p.elsewhere())
				r.relay(c)
			}
		}
	}, flow: func(p *party, id string) {
		p.bob.answerTo(p.invite(p.bob, id), "302 Moved Temporarily", "Contact: <"+p.carol.uri("carol")+">")
		p.bob.expect("ACK")
		p.up(p.carol, p.carol.expect("INVITE"), id)
		p.within(p.carol, "BYE", id, 1)
	}},
	{name: "RFC 3665 3.7 and RFC 5359 2.1: re-INVITE, a call on hold", flow: func(p *party, id string) {
		p.up(p.bob, p.invite(p.bob, id), id)
		p.within(p.bob, "INVITE", id, 1)
		p.within(p.bob, "ACK", id, 0)
		p.within(p.bob, "BYE", id, 1)
	}},
	{name: "RFC 3665 3.10: no response", timing: func(t *Timing) { t.NoAnswer = 300 * time.Millisecond }, flow: func(p *party, id string) {
		p.invite(p.bob, id) // and silence
		p.refused(p.alice.expect("SIP/2.0 408"), id, id)
	}},
	{name: "RFC 3665 3.11: temporarily unavailable", flow: func(p *party, id string) {
		invite := p.invite(p.bob, id)
		p.bob.answerTo(invite, "180 Ringing")
		p.bob.answerTo(invite, "480 Temporarily Unavailable")
		p.bob.expect("ACK")
		p.refused(p.alice.expect("SIP/2.0 480"), id, id)
	}},
	{name: "RFC 5359 2.4: transfer", flow: func(p *party, id string) {
		p.up(p.bob, p.invite(p.bob, id), id)
		p.within(p.bob, "REFER", id, 1)
		p.within(p.bob, "NOTIFY", id, 1)
		p.within(p.bob, "BYE", id, 1)
	}},
	{name: "RFC 5359 2.8: forwarding, unconditional", routes: func(r *routes, p *party) {
		r.request = func(c ctx) {
			if !c.LooseRoute() && !c.HasToTag() {
				_ = c.RecordRoute(nil)
				_ = c.SetRequestURI(p.elsewhere())
			}
			r.relay(c)
		}
	}, flow: func(p *party, id string) {
		p.up(p.carol, p.invite(p.carol, id), id)
		p.within(p.carol, "BYE", id, 1)
	}},
	{name: "RFC 5359 2.10: forwarding, no answer", timing: func(t *Timing) { t.NoFinal = 300 * time.Millisecond }, routes: func(r *routes, p *party) {
		r.failure = func(c ctx, x *Exchange, best *Leg) {
			if best.Status() == 408 {
				_ = c.SetRequestURI(p.elsewhere())
				r.relay(c)
			}
		}
	}, flow: func(p *party, id string) {
		invite := p.invite(p.bob, id)
		p.bob.answerTo(invite, "180 Ringing")
		p.alice.expect("SIP/2.0 180")
		p.bob.answerTo(p.bob.expect("CANCEL"), "200 OK")
		p.bob.answerTo(invite, "487 Request Terminated")
		p.bob.expect("ACK")
		p.up(p.carol, p.carol.expect("INVITE"), id)
		p.within(p.carol, "BYE", id, 1)
	}},
	{name: "RFC 5359 2.13: find-me, at once", routes: fork, flow: func(p *party, id string) {
		invite := p.invite(p.bob, id)
		other := p.carol.expect("INVITE")
		p.bob.answerTo(invite, "180 Ringing")
		p.carol.answerTo(other, "180 Ringing")
		p.alice.expect("SIP/2.0 180")
		p.alice.expect("SIP/2.0 180")
		p.up(p.carol, other, id)
		p.bob.answerTo(p.bob.expect("CANCEL"), "200 OK")
		p.bob.answerTo(invite, "487 Request Terminated")
		p.bob.expect("ACK")
		p.within(p.carol, "BYE", id, 1)
	}},
	{name: "RFC 3261 16.7: the best of two", routes: fork, flow: func(p *party, id string) {
		invite, other := p.invite(p.bob, id), p.carol.expect("INVITE")
		p.bob.answerTo(invite, "486 Busy Here")
		p.bob.expect("ACK")
		p.carol.answerTo(other, "404 Not Found")
		p.carol.expect("ACK")
		p.refused(p.alice.expect("SIP/2.0 404"), id, id)
	}},
	{name: "RFC 3261 16.7: declined by one", routes: fork, flow: func(p *party, id string) {
		invite, other := p.invite(p.bob, id), p.carol.expect("INVITE")
		p.bob.answerTo(invite, "180 Ringing")
		p.alice.expect("SIP/2.0 180")
		p.carol.answerTo(other, "603 Decline")
		p.carol.expect("ACK")
		p.refused(p.alice.expect("SIP/2.0 603"), id, id)
		p.bob.answerTo(p.bob.expect("CANCEL"), "200 OK")
		p.bob.answerTo(invite, "487 Request Terminated")
		p.bob.expect("ACK")
	}},
	{name: "RFC 3261 16.7: both answer", routes: fork, flow: func(p *party, id string) {
		invite, other := p.invite(p.bob, id), p.carol.expect("INVITE")
		p.up(p.bob, invite, id)
		p.carol.answerTo(other, "200 OK", "Contact: <"+p.carol.uri("callee")+">") // it crosses the CANCEL
		p.alice.expect("SIP/2.0 200")
		p.within(p.bob, "BYE", id, 1)
	}},
	{name: "RFC 5359 2.15: screened", routes: func(r *routes, _ *party) {
		r.request = func(c ctx) {
			if string(c.Msg.MethodName()) == "INVITE" {
				r.l.Respond(c, 403, []byte("Not You"), nil)
			}
		}
	}, flow: func(p *party, id string) {
		p.alice.ask("INVITE", p.bob.uri("bob"), id, id)
		p.refused(p.alice.expect("SIP/2.0 403 Not You"), id, id)
	}},
	{name: "RFC 3262 and 3311: PRACK and UPDATE before the answer", flow: func(p *party, id string) {
		invite := p.invite(p.bob, id)
		p.bob.answerTo(invite, "183 Session Progress", "Require: 100rel", "RSeq: 1", "Contact: <"+p.bob.uri("callee")+">")
		early := p.alice.expect("SIP/2.0 183")
		if header(p.T, early, "RSeq") != "1" {
			p.Errorf("no RSeq: %s", early)
		}
		for n, method := range []string{"PRACK", "UPDATE"} {
			p.alice.ask(method, p.bob.uri("callee"), id, method, fmt.Sprintf("CSeq: %d %s", n+2, method), "To: "+header(p.T, early, "To"), "RAck: 1 1 INVITE")
			got := p.bob.expect(method)
			if header(p.T, got, "RAck") != "1 1 INVITE" {
				p.Errorf("changed: %s", got)
			}
			p.bob.answerTo(got, "200 OK")
			p.alice.expect("SIP/2.0 200")
		}
		p.up(p.bob, invite, id)
		p.seq = 3
		p.within(p.bob, "BYE", id, 1)
	}},
	{name: "RFC 3428: MESSAGE", flow: func(p *party, id string) {
		p.alice.ask("MESSAGE", p.bob.uri("bob"), id, id)
		p.bob.answerTo(p.bob.expect("MESSAGE"), "202 Accepted")
		p.alice.expect("SIP/2.0 202")
	}},
}

// fork sends a call to bob and carol at once.
func fork(r *routes, p *party) {
	r.request = func(c ctx) {
		if !c.LooseRoute() && !c.HasToTag() && string(c.Msg.MethodName()) == "INVITE" {
			_ = c.RecordRoute(nil)
			_, _ = c.AppendBranch(p.elsewhere(), false)
		}
		r.relay(c)
	}
}

// invite2 is invite with another branch.
func (p *party) invite2(id string, more ...string) string {
	p.Helper()
	p.alice.ask("INVITE", p.bob.uri("bob"), id, id+"2", more...)
	return p.bob.expect("INVITE")
}

// Each of them over UDP, TCP and TLS, and from one to another.
func TestServices(t *testing.T) {
	pairs := [][2]reactor.Proto{{reactor.UDP, reactor.UDP}, {reactor.TCP, reactor.TCP}, {reactor.TLS, reactor.TLS}, {reactor.UDP, reactor.TLS}, {reactor.TLS, reactor.UDP}}
	for _, pair := range pairs {
		for n, s := range services {
			t.Run(fmt.Sprintf("%v to %v/%s", pair[0], pair[1], s.name), func(t *testing.T) {
				r, p := &routes{}, &party{}
				r.request = func(c ctx) {
					if !c.LooseRoute() && !c.HasToTag() {
						_ = c.RecordRoute(nil)
					}
					r.relay(c)
				}
				if s.routes != nil {
					s.routes(r, p)
				}
				cfg := Config{Timing: DefaultTiming()}
				if s.timing != nil {
					s.timing(&cfg.Timing)
				}
				p.live = run(t, r, cfg)
				p.alice, p.bob, p.carol = p.dial(pair[0], 0), p.listen(pair[1], 0), p.listen(pair[1], 0)
				p.other.Store(p.carol.uri("carol"))
				s.flow(p, fmt.Sprintf("service%d", n))
				p.settled()
			})
		}
	}
}
