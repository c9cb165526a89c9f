package transaction

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// faults are the ways in which a destination fails: what the client hears, from a request route alone, if that is the
// only destination.
var faults = []struct {
	name string
	// at once: t_relay cannot send. Else it is told later, or by a response.
	atOnce bool
	later  func(b *bed, invite sent)
	alone  string
	seen   string // by the failure_route
}{
	{"refused", true, nil, "SIP/2.0 477 Send failed (477/TM)", ""},
	{"refused after it was parked", false, func(b *bed, invite sent) {
		b.ctx.Return(&reactor.Undelivered{Data: []byte(invite.text), Proto: invite.to.Proto, Addr: invite.to.Addr, Err: &reactor.Error{Reason: reactor.ConnectFailed}})
	}, "SIP/2.0 500 Server Internal Error", "503 local"},
	{"silent", false, func(b *bed, _ sent) { b.pass(31 * time.Second) }, "SIP/2.0 408 Request Timeout", "408 local"},
	{"503", false, func(b *bed, invite sent) {
		b.take(answer(b.T, invite, "503 Overloaded", "Retry-After: 100"), fromCallee)
	}, "SIP/2.0 500 Server Internal Error", "503"},
	{"486", false, func(b *bed, invite sent) {
		b.take(answer(b.T, invite, "486 Busy Here"), fromCallee)
	}, "SIP/2.0 486 Busy Here", "486"},
}

// Each fault in each place: the client gets exactly one final response, and what there is to try is tried.
func TestFailureMatrix(t *testing.T) {
	const bad, good = "sip:bob@203.0.113.66", "sip:carol@203.0.113.10"
	finals := func(list []sent) (got []string) {
		for _, s := range list {
			if strings.HasPrefix(s.text, "SIP/2.0 ") && !strings.HasPrefix(s.text, "SIP/2.0 1") {
				got = append(got, s.first())
			}
		}
		return got
	}
	find := func(list []sent, start string) (found sent) {
		for _, s := range list {
			if strings.HasPrefix(s.text, start) {
				found = s
			}
		}
		return found
	}
	for _, f := range faults {
		for _, place := range []string{"request route", "failure route", "serial fork", "parallel fork"} {
			t.Run(fmt.Sprintf("%s in the %s", f.name, place), func(t *testing.T) {
				b := newBed(t)
				b.refuse = func(to *reactor.Target, text string) error {
					if f.atOnce && to.Addr.Addr().String() == "203.0.113.66" && !strings.HasPrefix(text, "SIP/2.0") {
						return errors.New("refused")
					}
					return nil
				}
				seen := ""
				note := func(best *Leg) {
					if seen = ""; best != nil {
						if seen = fmt.Sprint(best.Status()); best.Branch.Local() {
							seen += " local"
						}
					}
				}
				switch place {
				case "failure route": // the first is busy, the second fails
					b.failure = func(c ctx, _ *Exchange, _ *Leg) {
						b.failure = func(_ ctx, _ *Exchange, best *Leg) { note(best) }
						_ = c.SetRequestURI([]byte(bad))
						b.relay(c)
					}
				case "serial fork": // the first fails, the second answers
					b.request = func(c ctx) {
						if rc := b.layer.Relay(c, &Options{NoResponse: true}); rc < 0 {
							_ = c.SetRequestURI([]byte(good))
							b.relay(c)
						}
					}
					b.failure = func(c ctx, _ *Exchange, best *Leg) {
						note(best)
						_ = c.SetRequestURI([]byte(good))
						b.relay(c)
					}
				case "parallel fork":
					b.request = func(c ctx) {
						_, _ = c.AppendBranch([]byte(good), false)
						b.relay(c)
					}
				}
				uri := bad
				if place == "failure route" {
					uri = good
				}
				var all []sent
				collect := func() []sent {
					all = append(all, b.wire.sent...)
					b.wire.sent = nil
					return all
				}
				b.take(request("INVITE", uri, "1"), overTLS)
				list := collect()
				if place == "failure route" {
					b.take(answer(t, find(list, "INVITE "+good), "480 Away"), fromCallee)
					list = collect()
				}
				if f.later != nil {
					f.later(b, find(list, "INVITE "+bad))
					collect()
				}
				want := f.alone
				switch place {
				case "failure route":
					if f.atOnce { // t_relay fails there, and the first's answer goes up
						want = "SIP/2.0 480 Away"
					}
				case "serial fork", "parallel fork":
					ok := find(all, "INVITE "+good)
					if ok.text == "" {
						t.Fatalf("the other was not tried: %v", all)
					}
					if f.name == "silent" && place == "parallel fork" { // both were, until then
						want = "SIP/2.0 408 Request Timeout"
						break
					}
					if got := finals(all); len(got) != 0 {
						t.Fatalf("answered %q while another was tried", got)
					}
					b.take(answer(t, ok, "200 OK"), fromCallee)
					collect()
					want = "SIP/2.0 200 OK"
				}
				if got := finals(all); len(got) != 1 || got[0] != want {
					t.Errorf("answered %q, want %q", got, want)
				}
				if place == "serial fork" && !f.atOnce && seen != f.seen {
					t.Errorf("the failure_route saw %q, want %q", seen, f.seen)
				}
				if up := find(all, "SIP/2.0 500"); strings.Contains(up.text, "Retry-After") {
					t.Errorf("a peer's Retry-After went up: %s", up.text)
				}
				b.take(request("ACK", uri, "1"), overTLS)
			})
		}
	}
}

// TestUnsentAck: an ACK of ours that cannot be sent is counted, as one that comes back is.
func TestUnsentAck(t *testing.T) {
	b := newBed(t)
	b.take(request("INVITE", bob, "1"), overUDP)
	invite := b.want("SIP/2.0 100 Giving it a try", "INVITE "+bob+" SIP/2.0")[1]
	b.refuse = func(_ *reactor.Target, text string) error {
		if strings.HasPrefix(text, "ACK ") {
			return errors.New("refused")
		}
		return nil
	}
	b.take(answer(t, invite, "486 Busy Here"), fromCallee)
	b.want("SIP/2.0 486 Busy Here")
	if n := b.layer.Proxy().Count(proxy.AcksUndelivered); n != 1 {
		t.Errorf("%d ACKs are counted", n)
	}
}
