package proxy

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// corpus gives messages to start from: our own, and those of RFC 4475 where the
// test data is at hand.
func corpus() (list [][]byte) {
	for _, s := range []string{
		invite(), realInvite, invite("Max-Forwards:"), invite("Max-Forwards: 0"), invite("+Route: " + ownTLS + ", " + strict),
		invite("Via: SIP/2.0/TLS 10.0.0.1;rport;received=1.2.3.4;branch=1 (comment), SIP/2.0/UDP a"),
		request("ACK", "sip:192.0.2.1:5061;transport=tls;lr", "+Route: "+next), request("CANCEL", "sips:x@[2001:db8::9]"),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKx\r\nv: SIP/2.0/TLS a\r\nl: 0\r\n\r\n",
	} {
		list = append(list, []byte(s))
	}
	if dir := os.Getenv("SIPREACTOR_TESTDATA"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "rfc4475", "*", "*"))
		for _, f := range files {
			if b, err := os.ReadFile(f); err == nil {
				list = append(list, b)
			}
		}
	}
	return list
}

// anywhere is a Resolver that knows every name.
type anywhere struct{}

func (anywhere) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	return targets(q, netip.MustParseAddrPort("203.0.113.9:5061")), nil
}

// meddle is a Router that does what a script may do, with text of the message.
func meddle(c *Context) {
	c.LooseRoute()
	_ = c.RecordRoute(nil)
	m := c.Msg
	if from, err := m.From(); err == nil {
		_ = c.AddRRParam(append([]byte(";x="), m.Bytes(from.Tag)...))
		_ = c.SetUser(m.Bytes(from.Display))
		_ = c.SetURIParam([]byte("from"), m.Bytes(from.Tag))
	}
	for i := range m.NumHeaders() {
		h := m.Header(i)
		_ = c.AppendHeader(append([]byte("X-Copy: "), m.Bytes(h.Value)...))
		_ = c.AppendToResponse(append([]byte("X-Copy: "), m.Bytes(h.Value)...))
	}
	_ = c.Replace(sipframe.Span{Off: m.BodyOffset()}, []byte("v=0\r\n"))
	c.RemoveHeaderGlob([]byte("[A-M]*"))
	c.ForceRPort()
	if c.Forward(nil) != nil {
		_ = c.Respond(404, m.CallID())
	}
}

// mostFuzzed bounds a message that is made up: a longer one shows nothing new, and takes long.
const mostFuzzed = 16 << 10

// Whatever comes, nothing panics, and what is forwarded is one whole message
// with one Via more and one hop less.
func FuzzForward(f *testing.F) {
	for _, b := range corpus() {
		f.Add(b, false)
		f.Add(b, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, busy bool) {
		if len(data) > mostFuzzed {
			return
		}
		p, err := New(Config{Key: &testKey, Resolver: anywhere{}}, funcs{})
		if err != nil {
			t.Fatal(err)
		}
		if busy {
			p.SetRouter(funcs{request: meddle})
		}
		p.SetSockets(allSockets)
		rec := &recorder{}
		c := p.NewContext(rec)
		for _, src := range []*reactor.Source{overTLS, overUDP} {
			rec.sent = nil
			c.Receive(data, src)
			if len(rec.sent) > 1 {
				t.Fatalf("%d messages sent", len(rec.sent))
			}
			for _, s := range rec.sent {
				checkForwarded(t, p, data, s, src)
				c.Return(&reactor.Undelivered{Data: []byte(s.text), Err: lateFailure})
			}
		}
		c.receiveBroken(data, overTLS, sipframe.Defect{Code: 400, Reason: "x", Answerable: true})
		c.receiveOverload(data, overTLS)
	})
}

// checkForwarded compares what left with what came.
func checkForwarded(t *testing.T, p *Proxy, data []byte, s sent, src *reactor.Source) {
	in, out := new(sipframe.Message), new(sipframe.Message)
	_ = in.Parse(data)
	if err := out.Parse([]byte(s.text)); err != nil {
		t.Fatalf("what left does not parse: %v\n%q", err, s.text)
	}
	if s.to.Proto != reactor.UDP {
		var fr sipframe.Framer
		if cut := fr.Next(&sipframe.FramerConfig{MaxMessage: 1 << 20}, []byte(s.text)); cut.Kind != sipframe.Frame || cut.End != len(s.text) {
			t.Fatalf("what left is not one frame: %+v\n%q", cut, s.text)
		}
	}
	head := s.text[:out.BodyOffset()]
	if strings.Count(head, "\n") != strings.Count(head, "\r\n") {
		t.Fatalf("a line ends in a bare LF: %q", head)
	}
	if !out.IsRequest() {
		return // a response of ours
	}
	if got, want := count(out, sipframe.HeaderVia), count(in, sipframe.HeaderVia)+1; got != want {
		t.Fatalf("%d Vias left, want %d\n%q", got, want, s.text)
	}
	n, present, err := in.MaxForwards()
	want := p.cfg.MaxForwards
	if present && err == nil {
		want = n - 1
	}
	if got := out.Value(sipframe.HeaderMaxForwards); string(got) != strconv.Itoa(want) {
		t.Fatalf("Max-Forwards %q, want %d", got, want)
	}
	via, err := out.TopVia()
	if err != nil {
		t.Fatal(err)
	}
	var tok token
	if !p.keys.openBranch(out.Bytes(via.Branch), &tok) || tok.proto != src.Proto || tok.conn != src.Conn {
		t.Fatalf("our branch does not open: %+v", tok)
	}
	for _, kind := range []sipframe.HeaderKind{sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderCallID, sipframe.HeaderCSeq} {
		if !bytes.Equal(refolded(in.Value(kind)), out.Value(kind)) {
			t.Fatalf("%v changed", kind)
		}
	}
	if !bytes.HasSuffix(out.Body(), in.Body()) {
		t.Fatalf("body %q, want %q", out.Body(), in.Body())
	}
}

// refolded writes a folded value with the line ends that a forwarded one has.
func refolded(value []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(value, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

func count(m *sipframe.Message, kind sipframe.HeaderKind) (n int) {
	values := m.Values(kind)
	for _, ok := values.Next(); ok; _, ok = values.Next() {
		n++
	}
	return n
}

// A response is forwarded or not, and loses exactly our Via.
func FuzzResponse(f *testing.F) {
	p, err := New(Config{Key: &testKey, Resolver: anywhere{}}, funcs{})
	if err != nil {
		f.Fatal(err)
	}
	p.SetSockets(allSockets)
	branch := string(p.keys.appendBranch(nil, &testToken))
	via := "Via: SIP/2.0/TLS 192.0.2.1:5061;branch=" + branch
	f.Add([]byte("\r\nVia: SIP/2.0/TLS 10.0.0.1;received=1.2.3.4\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nl:0\r\n\r\n"))
	f.Add([]byte(" ,SIP/2.0/UDP b;rport=1 , SIP/2.0/TCP c\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>;tag=2\r\ni: 1\r\nCSeq: 1 INVITE\r\n\r\nbody"))
	f.Fuzz(func(t *testing.T, rest []byte) {
		if len(rest) > mostFuzzed {
			return
		}
		data := append([]byte("SIP/2.0 200 OK\r\n"+via), rest...)
		in := new(sipframe.Message)
		_ = in.Parse(data)
		rec := &recorder{}
		c := p.NewContext(rec)
		c.Receive(data, fromUAS)
		for _, s := range rec.sent {
			out := parse(t, s.text)
			if got, want := count(out, sipframe.HeaderVia), count(in, sipframe.HeaderVia)-1; got != want {
				t.Fatalf("%d Vias left, want %d\n%q", got, want, s.text)
			}
			if s.to.Conn != testToken.conn || bytes.Contains([]byte(s.text), []byte(branch)) {
				t.Fatalf("sent to %+v: %q", s.to, s.text)
			}
		}
		rec.refuse = func(to *reactor.Target) error {
			if to.Conn == 0 {
				t.Fatalf("a response without a client's Via of ours went to %+v", to)
			}
			return gone
		}
		c.Receive(data, fromUAS)
	})
}
