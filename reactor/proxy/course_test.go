package proxy

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// several is a Resolver with a list for every name.
type several []netip.AddrPort

func (s several) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	return targets(q, s...), nil
}

func addresses(list ...string) (s several) {
	for _, a := range list {
		s = append(s, netip.MustParseAddrPort(a))
	}
	return s
}

const calleeURI = "sip:bob@example.org;transport=tls"

// failLate gives a message back as the engine does.
func (b *bed) failLate(s sent) []sent {
	b.sent = nil
	b.ctx.Return(&reactor.Undelivered{Data: []byte(s.text), Proto: s.to.Proto, Addr: s.to.Addr, Note: s.to.Note, Err: lateFailure})
	return b.sent
}

// What came back goes to each further address once, as it was, and then is
// answered 503, once.
func TestLateFailureGoesToTheNextAddress(t *testing.T) {
	list := addresses("203.0.113.1:5061", "203.0.113.2:5061", "203.0.113.1:5061")
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = list })
	s := b.one(request("INVITE", calleeURI), overTLS)
	for i, a := range list {
		if s.to.Addr != a || s.to.Name != "example.org" || s.to.Set == nil || len(s.to.Set.EndPoints) != 3 || s.to.Class != reactor.NewRequest {
			t.Fatalf("address %d: %+v", i, s.to)
		}
		text := s.text
		out := b.failLate(s)
		if len(out) != 1 {
			t.Fatalf("address %d: %d messages sent", i, len(out))
		}
		s = out[0]
		if i < len(list)-1 && s.text != text {
			t.Errorf("address %d got another message:\n%s", i+1, s.text)
		}
	}
	if firstLine(s.text) != "SIP/2.0 503 Service Unavailable" || s.to.Conn != overTLS.Conn {
		t.Errorf("behind the last: %s to %+v", firstLine(s.text), s.to)
	}
	b.counts(map[Counter]uint64{RequestsOut: 1, RequestsMoved: 2, RequestsUndelivered: 1, OwnResponses: 1})
}

// A CANCEL goes where its INVITE went: after a failure at once, and after one
// that came later; and nowhere else.
func TestCancelFollowsItsInvite(t *testing.T) {
	list := addresses("203.0.113.1:5061", "203.0.113.2:5061", "203.0.113.3:5061")
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = list })
	dead := map[netip.AddrPort]bool{list[0]: true}
	b.refuse = func(to *reactor.Target) error {
		if dead[to.Addr] {
			return &reactor.Error{Reason: reactor.ConnectFailed}
		}
		return nil
	}
	invited := b.one(request("INVITE", calleeURI), overTLS)
	if invited.to.Addr != list[1] {
		t.Fatalf("the INVITE went to %v", invited.to.Addr)
	}
	clear(dead) // the first one is back: it has no such call
	cancel := request("CANCEL", calleeURI)
	canceled := b.one(cancel, overTLS)
	if canceled.to.Addr != list[1] {
		t.Errorf("the CANCEL went to %v", canceled.to.Addr)
	}
	if again := b.one(request("INVITE", calleeURI), overTLS); again.to.Addr != list[1] {
		t.Errorf("the INVITE's retransmission went to %v", again.to.Addr)
	}
	// Both waited for the second one, which fails: in order, as they were.
	if out := b.failLate(invited); len(out) != 1 || out[0].to.Addr != list[2] {
		t.Fatalf("the INVITE moved: %+v", out)
	}
	if out := b.failLate(canceled); len(out) != 1 || out[0].to.Addr != list[2] || !strings.HasPrefix(out[0].text, "CANCEL ") {
		t.Errorf("the CANCEL moved: %+v", out)
	}
	// A CANCEL whose INVITE stayed is not tried elsewhere, at once or later.
	dead[list[2]] = true
	if out := b.pass(cancel, overTLS); len(out) != 1 || firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("a CANCEL to an address that is dead: %+v", out)
	}
	clear(dead)
	canceled = b.one(cancel, overTLS)
	if out := b.failLate(canceled); len(out) != 1 || firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("a CANCEL that came back: %+v", out)
	}
}

// The next address may be of the other family: our Via then names the listener
// that the message leaves by, and the branch is the same.
func TestLateFailureChangesTheListener(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = addresses("[2001:db8::9]:5061", "203.0.113.2:5061") })
	s := b.one(request("OPTIONS", calleeURI), overTLS)
	if !strings.Contains(headers(t, s.text, "Via")[0], "[2001:db8::1]:5061") {
		t.Fatalf("Via %s", headers(t, s.text, "Via")[0])
	}
	out := b.failLate(s)
	if len(out) != 1 || out[0].to.Addr.String() != "203.0.113.2:5061" || out[0].to.Socket != tlsSocket {
		t.Fatalf("%+v", out)
	}
	was, is := headers(t, s.text, "Via")[0], headers(t, out[0].text, "Via")[0]
	if is != strings.Replace(was, "[2001:db8::1]:5061", "192.0.2.1:5061", 1) {
		t.Errorf("Via\n%s, was\n%s", is, was)
	}
}

// offers is a Resolver with one answer for all.
type offers names.Answer

func (o offers) Lookup(context.Context, names.Query) (names.Answer, error) {
	return names.Answer(o), nil
}

// The targets of a name may differ in transport: our Via names the one by which
// the message leaves, at once and when it comes back. What leaves over a stream
// says how long it is.
func TestTargetsOfSeveralTransports(t *testing.T) {
	over := func(p reactor.Proto, addr string, tier uint8) names.Target {
		return names.Target{EndPoint: reactor.EndPoint{Proto: p, Addr: netip.MustParseAddrPort(addr)}, Tier: tier}
	}
	answer := offers{Targets: []names.Target{over(reactor.TLS, "203.0.113.1:5061", 0), over(reactor.TCP, "203.0.113.2:5060", 1), over(reactor.UDP, "203.0.113.3:5060", 2)}}
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = answer })
	b.refuse = func(to *reactor.Target) error {
		if to.Proto == reactor.TLS {
			return &reactor.Error{Reason: reactor.ConnectFailed}
		}
		return nil
	}
	s := b.one(request("OPTIONS", "sip:bob@example.org"), overTLS)
	if via := headers(t, s.text, "Via")[0]; s.to.Proto != reactor.TCP || s.to.Socket != tcpSocket || !strings.HasPrefix(via, "SIP/2.0/TCP 192.0.2.1:5060;") {
		t.Errorf("sent to %+v with Via %s", s.to, via)
	}
	out := b.failLate(s)
	if len(out) != 1 || out[0].to.Proto != reactor.UDP || out[0].to.Socket != udpSocket {
		t.Fatalf("moved to %+v", out)
	}
	if via := headers(t, out[0].text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/UDP 192.0.2.1:5060;") {
		t.Errorf("moved with Via %s", via)
	}
	b = newBed(t, funcs{}, func(c *Config) { c.Resolver, c.NoFailover = answer, true })
	b.refuse = refuseConns
	if out := b.pass(request("OPTIONS", "sip:bob@example.org"), overTLS); len(out) != 1 || firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("without failover: %+v", out)
	}
}

// A transaction finds its server again: what is drawn by weight is drawn from it.
func TestWeightedTargetsByTransaction(t *testing.T) {
	answer := offers{}
	for i := range uint8(4) {
		answer.Targets = append(answer.Targets, names.Target{Item: i, Weight: 25,
			EndPoint: reactor.EndPoint{Proto: reactor.TLS, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, i}), 5061)}})
	}
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = answer })
	first := map[netip.AddrPort]int{}
	for i := range 200 {
		text := request("OPTIONS", calleeURI, fmt.Sprintf("Call-ID: w%d", i))
		s := b.one(text, overTLS)
		first[s.to.Addr]++
		if again := b.one(text, overTLS); again.to.Addr != s.to.Addr {
			t.Fatalf("the retransmission went to %v, the request to %v", again.to.Addr, s.to.Addr)
		}
		seen := map[netip.AddrPort]bool{s.to.Addr: true}
		for len(seen) < 4 { // each further one once
			out := b.failLate(s)
			if s = out[0]; seen[s.to.Addr] || s.to.Conn != 0 {
				t.Fatalf("after %v: %+v", seen, s.to)
			}
			seen[s.to.Addr] = true
		}
		if out := b.failLate(s); firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
			t.Fatalf("behind the last: %+v", out)
		}
	}
	for _, a := range answer.Targets {
		if n := first[a.Addr]; n < 20 || n > 80 {
			t.Errorf("%v was first %d times of 200", a.Addr, n)
		}
	}
}

// What is remembered of INVITEs has a bound, and the first ones make room.
func TestWentIsBounded(t *testing.T) {
	var w went
	a := reactor.EndPoint{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5061")}
	for i := range uint64(wentBound + 100) {
		w.note(i+1, a)
		w.note(i+1, a)
	}
	if len(w.at) != wentBound || len(w.ring) != wentBound {
		t.Errorf("%d remembered, %d in order", len(w.at), len(w.ring))
	}
	if _, known := w.find(100); known {
		t.Error("the first ones are still there")
	}
	if got, known := w.find(101); !known || got != a {
		t.Error("a later one is gone")
	}
	w.forget(101)
	if _, known := w.find(101); known {
		t.Error("it was not forgotten")
	}
}

// The first address of a name takes connections and never speaks TLS, the second
// one answers: no call is lost, and behind the first failure none waits.
func TestBlackHoleBeforeAServer(t *testing.T) {
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close() // the kernel accepts, nobody reads
	uas, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer uas.Close()
	list := several{hole.Addr().(*net.TCPAddr).AddrPort(), uas.Addr().(*net.TCPAddr).AddrPort()}
	l := runWith(t, funcs{}, Config{Resolver: list}, func(c *reactor.Config) {
		c.TLS.LocalHandshakeTimeout, c.TLS.HandshakeTimeout = 10*time.Millisecond, 3*time.Second // in which the second one answers on a busy machine
	})
	go func() {
		for {
			c, err := uas.Accept()
			if err != nil {
				return
			}
			go answerAll(l.serverSide(c))
		}
	}()
	var number atomic.Int32
	call := func() {
		n := number.Add(1)
		p := l.dial()
		defer p.Close()
		p.say(request("OPTIONS", "sip:bob@localhost;transport=tls", from(p, fmt.Sprintf("z9hG4bKc%d", n)), fmt.Sprintf("Call-ID: call%d", n)))
		p.expect("SIP/2.0 200 ")
	}
	var calls sync.WaitGroup
	for range 10 { // these find out
		calls.Go(call)
	}
	calls.Wait()
	moved := l.proxy.Count(RequestsMoved)
	if moved == 0 {
		t.Error("nothing moved to the second address")
	}
	if n := l.engine.Stats().BackedOff; n != 1 {
		t.Errorf("%d destinations are left alone", n)
	}
	waits := l.engine.Stats().ParkedHandshakes
	for range 50 {
		call()
	}
	if n := l.proxy.Count(RequestsMoved); n != moved {
		t.Errorf("%d requests still waited for the black hole", n-moved)
	}
	if n := l.engine.Stats().ParkedHandshakes; n > waits+1 { // that of the second one, on a busy machine
		t.Errorf("%d handshakes more were waited for", n-waits)
	}
	if n := l.proxy.OwnResponses(503); n != 0 {
		t.Errorf("%d were answered 503", n)
	}
}

// answerAll answers 200 to whatever comes.
func answerAll(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		head := []string{"SIP/2.0 200 OK"}
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if line = strings.TrimRight(line, "\r\n"); line == "" {
				break
			}
			switch name, _, _ := strings.Cut(line, ":"); name {
			case "Via", "From", "To", "Call-ID", "CSeq":
				head = append(head, line)
			}
		}
		if _, err := c.Write([]byte(strings.Join(append(head, "Content-Length: 0"), "\r\n") + "\r\n\r\n")); err != nil {
			return
		}
	}
}

// The listeners by which a request may go on are those of its own way, not of the one before to the same name.
func TestCourseIsOfItsWay(t *testing.T) {
	second := &reactor.Socket{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("192.0.2.1:5081")}
	var chosen *reactor.Socket
	b := newBed(t, funcs{request: func(c *Context) {
		if chosen != nil {
			c.SetSendSocket(chosen)
		}
		_ = c.Forward(nil)
	}}, func(c *Config) { c.Resolver = addresses("203.0.113.1:5061", "203.0.113.2:5061") })
	b.proxy.SetSockets(append([]*reactor.Socket{second}, allSockets...))
	bySecond := *overTLS
	bySecond.Socket, bySecond.Local = second, second.Addr
	for i, step := range []struct {
		src          *reactor.Source
		chosen, want *reactor.Socket
	}{
		{overTLS, nil, tlsSocket}, {&bySecond, nil, second}, {overTLS, second, second}, {overTLS, nil, tlsSocket}, {&bySecond, tlsSocket, tlsSocket},
	} {
		chosen = step.chosen
		s := b.one(request("OPTIONS", calleeURI, fmt.Sprint("CSeq: ", i+1, " OPTIONS")), step.src)
		out := b.failLate(s)
		if len(out) != 1 || s.to.Socket != step.want || out[0].to.Socket != step.want || out[0].to.Addr == s.to.Addr {
			t.Errorf("step %d: %+v, and then %+v", i, s.to, out)
		}
	}
}

// What leads through one listener by its Record-Route goes by no other, and what does not say how long it is by no stream.
func TestWhatCannotGoOn(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) {
		_ = c.RecordRoute(nil)
		_ = c.Forward(nil)
	}}, func(c *Config) { c.Resolver = addresses("[2001:db8::9]:5061", "203.0.113.2:5061") })
	out := b.failLate(b.one(request("INVITE", calleeURI), overTLS))
	if len(out) != 1 || firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("recorded: %+v", out)
	}

	to := func(p reactor.Proto, addr string, tier uint8) names.Target {
		return names.Target{EndPoint: reactor.EndPoint{Proto: p, Addr: netip.MustParseAddrPort(addr)}, Tier: tier}
	}
	b = newBed(t, funcs{}, func(c *Config) {
		c.Resolver = offers{Targets: []names.Target{to(reactor.UDP, "203.0.113.3:5060", 0), to(reactor.TCP, "203.0.113.2:5060", 1)}}
	})
	s := b.one(request("OPTIONS", "sip:bob@example.org"), overTLS)
	long := s
	long.text = strings.Replace(s.text, "Content-Length: 0\r\n", "", 1)
	if out := b.failLate(long); long.text == s.text || len(out) != 1 || firstLine(out[0].text) != "SIP/2.0 503 Service Unavailable" {
		t.Errorf("without a length: %+v", out)
	}
}

// What a Context keeps of courses and of twins has a bound.
func TestCoursesAreBounded(t *testing.T) {
	b := newBed(t, funcs{}, func(c *Config) { c.Resolver = addresses("203.0.113.1:5061", "203.0.113.2:5061") })
	for i := range 3 * maxCourses {
		b.one(request("OPTIONS", fmt.Sprintf("sip:bob@h%d.example.org;transport=tls", i)), overTLS)
		b.one(large("MESSAGE", fmt.Sprintf("sip:bob@203.0.113.%d", i), 2000), overTLS)
	}
	if n, m := len(b.ctx.courses), len(b.ctx.grown); n == 0 || n > maxCourses || m == 0 || m > maxTwins {
		t.Errorf("%d courses and %d twins", n, m)
	}
}
