package transaction

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
)

var transports = []reactor.Proto{reactor.UDP, reactor.TCP, reactor.TLS}

// each runs a flow over every pair of transports.
func each(t *testing.T, f func(t *testing.T, in, out reactor.Proto)) {
	for _, in := range transports {
		for _, out := range transports {
			t.Run(fmt.Sprintf("%v to %v", in, out), func(t *testing.T) { f(t, in, out) })
		}
	}
}

// RFC 3665 3.2: a call with Record-Route, and its end.
func TestFlowSuccess(t *testing.T) {
	each(t, func(t *testing.T, in, out reactor.Proto) {
		r := &routes{}
		r.request = func(c ctx) {
			if !c.LooseRoute() {
				_ = c.RecordRoute(nil)
			}
			r.relay(c)
		}
		l := run(t, r, Config{})
		alice, bob := l.dial(in, 0), l.listen(out, 0)
		alice.ask("INVITE", bob.uri("bob"), "f1", "1")
		req := bob.expect("INVITE")
		alice.expect("SIP/2.0 100")
		bob.answerTo(req, "180 Ringing")
		alice.expect("SIP/2.0 180")
		bob.answerTo(req, "200 OK", "Contact: <"+bob.uri("bob")+">")
		ok := alice.expect("SIP/2.0 200")
		var route []string
		m := parse(t, ok)
		for i := m.FindName([]byte("Record-Route")); i >= 0; i = m.FindNameNext([]byte("Record-Route"), i) {
			route = append([]string{"Route: " + string(m.Bytes(m.Header(i).Value))}, route...)
		}
		to := "To: " + header(t, ok, "To")
		for n, method := range []string{"ACK", "BYE"} {
			cseq := fmt.Sprintf("CSeq: %d %s", n+1, method)
			alice.ask(method, bob.uri("bob"), "f1", method, append([]string{to, cseq, strings.Join(route, "\r\n")}, []string{}...)...)
			got := bob.expect(method)
			if header(t, got, "Route") != "" {
				t.Errorf("a Route is left: %s", got)
			}
			if method == "BYE" {
				bob.answerTo(got, "200 OK")
				alice.expect("SIP/2.0 200")
			}
		}
		l.settled()
	})
}

// RFC 3665 3.8: canceled while it rings.
func TestFlowCancel(t *testing.T) {
	each(t, func(t *testing.T, in, out reactor.Proto) {
		l := run(t, &routes{}, Config{})
		alice, bob := l.dial(in, 0), l.listen(out, 0)
		alice.ask("INVITE", bob.uri("bob"), "f2", "1")
		req := bob.expect("INVITE")
		bob.answerTo(req, "180 Ringing")
		alice.expect("SIP/2.0 180")
		alice.ask("CANCEL", bob.uri("bob"), "f2", "1")
		alice.expect("SIP/2.0 200")
		cancel := bob.expect("CANCEL")
		bob.answerTo(cancel, "200 OK")
		bob.answerTo(req, "487 Request Terminated")
		bob.expect("ACK")
		final := alice.expect("SIP/2.0 487")
		alice.ask("ACK", bob.uri("bob"), "f2", "1", "To: "+header(t, final, "To"))
		l.settled()
	})
}

// RFC 3665 3.9 and 3.11: busy, and then another destination.
func TestFlowBusy(t *testing.T) {
	each(t, func(t *testing.T, in, out reactor.Proto) {
		r := &routes{}
		var other atomic.Value
		r.failure = func(c ctx, x *Exchange, best *Leg) {
			if best.Status() == 486 {
				_ = c.SetRequestURI([]byte(other.Load().(string)))
				r.relay(c)
			}
		}
		l := run(t, r, Config{})
		alice, bob, carol := l.dial(in, 0), l.listen(out, 0), l.listen(out, 0)
		other.Store(carol.uri("carol"))
		alice.ask("INVITE", bob.uri("bob"), "f3", "1")
		bob.answerTo(bob.expect("INVITE"), "486 Busy Here")
		bob.expect("ACK")
		carol.answerTo(carol.expect("INVITE"), "480 Temporarily Unavailable")
		carol.expect("ACK")
		final := alice.expect("SIP/2.0 480")
		alice.ask("ACK", bob.uri("bob"), "f3", "1", "To: "+header(t, final, "To"))
		l.settled()
	})
}

// A dead trunk over TLS: if t_relay could wait for that, the client hears 477, else the script's next destination gets
// the call as soon as it shows.
func TestFlowDeadTrunk(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late %v", late), func(t *testing.T) {
			budget := func(c *reactor.Config) {
				c.TLS.LocalConnectTimeout, c.TLS.LocalHandshakeTimeout = patience, patience
				if late {
					c.TLS.LocalHandshakeTimeout = time.Millisecond
				}
			}
			r := &routes{}
			var next atomic.Value
			r.failure = func(c ctx, x *Exchange, best *Leg) {
				if best.Status() != 503 || !best.Local() {
					t.Errorf("failed with %d", best.Status())
				}
				_ = c.SetRequestURI([]byte(next.Load().(string)))
				r.relay(c)
			}
			l := run(t, r, Config{}, budget)
			alice, bob, carol := l.dial(reactor.TLS, 0), l.listen(reactor.TCP, 0), l.listen(reactor.TLS, 0)
			next.Store(carol.uri("carol"))
			dead := strings.Replace(bob.uri("bob"), "transport=tcp", "transport=tls", 1) // what it says is no TLS
			pause := 50 * time.Millisecond
			if late { // until t_relay has parked it, on a busy machine, too
				pause = time.Second
			}
			go func() { time.Sleep(pause); bob.send("HTTP/1.1 400\r\n\r\n") }()
			alice.ask("INVITE", dead, "f4", "1")
			if !late { // t_relay has waited for it
				alice.expect("SIP/2.0 477")
				alice.ask("ACK", dead, "f4", "1")
				return
			}
			carol.answerTo(carol.expect("INVITE"), "200 OK")
			alice.expect("SIP/2.0 200")
			l.settled()
		})
	}
}

// Calls over a network that loses a fifth of all messages and brings another fifth twice: each one completes, and nobody
// gets anything of a transaction twice that a transaction keeps away.
func TestFlowLoss(t *testing.T) {
	const calls, loss = 40, 0.2
	timing := DefaultTiming()
	timing.T1, timing.T2, timing.T4 = 20*time.Millisecond, 80*time.Millisecond, 100*time.Millisecond
	l := run(t, &routes{}, Config{Timing: timing})
	bob := l.dial(reactor.UDP, loss)
	once := bob.answers(40 * time.Millisecond)
	for n := range calls {
		alice := l.dial(reactor.UDP, loss)
		id, want := fmt.Sprintf("loss%d-ok", n), "SIP/2.0 200"
		if n%2 == 1 {
			id, want = fmt.Sprintf("loss%d-refused", n), "SIP/2.0 486"
		}
		ok := alice.insist(want, func() { alice.ask("INVITE", bob.uri("bob"), id, "i"+id) })
		to := "To: " + header(t, ok, "To")
		if n%2 == 1 {
			alice.ask("ACK", bob.uri("bob"), id, "i"+id, to)
			continue
		}
		alice.ask("ACK", bob.uri("bob"), id, "a"+id, to)
		alice.insist("SIP/2.0 200", func() { alice.ask("BYE", bob.uri("bob"), id, "b"+id, to, "CSeq: 2 BYE") }, "2 BYE")
	}
	l.settled()
	once()
}

// answers has the agent answer each request as often as it comes, an INVITE by 180 and 200, or 486 where its Call-ID ends
// so, and repeat a 200 until its ACK comes, again and again. once ends that and checks that each request came in one
// transaction.
func (a *agent) answers(again time.Duration) (once func()) {
	stop, served := make(chan struct{}), make(chan struct{})
	var came transactions
	go func() {
		defer close(served)
		clock := time.NewTicker(again)
		defer clock.Stop()
		type unacked struct {
			req   string
			since time.Time
		}
		waiting := make(map[string]unacked)
		for {
			select {
			case <-stop:
				return
			case <-clock.C:
				for id, u := range waiting {
					if time.Since(u.since) > 64*500*time.Millisecond { // RFC 3261 13.3.1.4: the caller has given up
						delete(waiting, id)
						continue
					}
					a.answerTo(u.req, "200 OK")
				}
			case req := <-a.in:
				if strings.HasPrefix(req, "SIP/2.0") {
					continue
				}
				id, method := header(a.T, req, "Call-ID"), req[:strings.IndexByte(req, ' ')]
				if method != "ACK" || strings.HasSuffix(id, "refused") { // that to a 200 is one each time
					came.note(id+" "+method, header(a.T, req, "Via"))
				}
				switch {
				case method == "ACK":
					delete(waiting, id)
				case method == "INVITE" && strings.HasSuffix(id, "refused"):
					a.answerTo(req, "486 Busy Here")
				case method == "INVITE":
					a.answerTo(req, "180 Ringing")
					a.answerTo(req, "200 OK")
					if waiting[id].req == "" {
						waiting[id] = unacked{req, time.Now()}
					}
				default:
					a.answerTo(req, "200 OK")
				}
			}
		}
	}()
	end := sync.OnceFunc(func() { close(stop); <-served })
	a.Cleanup(end)
	return func() {
		a.Helper()
		end()
		for _, what := range came.twice {
			a.Errorf("%s came in several transactions", what)
		}
	}
}

// transactions remembers which request came by which Via, for a while: as long as one may be repeated, at the least.
type transactions struct {
	now, before map[string]string
	since       time.Time
	twice       []string // those that came by another one, too
}

func (s *transactions) note(what, via string) {
	if time.Since(s.since) > 64*500*time.Millisecond {
		s.now, s.before, s.since = make(map[string]string), s.now, time.Now()
	}
	for _, known := range []map[string]string{s.now, s.before} {
		if first, ok := known[what]; ok && first != via {
			s.twice = append(s.twice, what)
		}
	}
	s.now[what] = via
}

// insist repeats a request until it is answered so; cseq is the CSeq of the answer, if it counts.
func (a *agent) insist(start string, ask func(), cseq ...string) string {
	a.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		ask()
		again := time.After(30 * time.Millisecond)
	wait:
		for {
			select {
			case text := <-a.in:
				if strings.HasPrefix(text, start) && (len(cseq) == 0 || header(a.T, text, "CSeq") == cseq[0]) {
					return text
				}
			case <-again:
				break wait
			}
		}
	}
	a.Fatalf("no %s", start)
	return ""
}
