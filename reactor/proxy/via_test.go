package proxy

import (
	"net/netip"
	"strings"
	"testing"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// branchOf gives the branch that a request leaves with.
func branchOf(b *bed, text string, src *reactor.Source) string {
	b.Helper()
	m := parse(b.T, b.one(text, src).text)
	via, err := m.TopVia()
	if err != nil {
		b.Fatal(err)
	}
	return string(m.Bytes(via.Branch))
}

// RFC 3261 16.11: which messages belong to one transaction.
func TestBranchPerTransaction(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("tls:203.0.113.9")) }})
	base := branchOf(b, invite(), overTLS)
	other := *overTLS
	other.Conn++
	const tag = "To: <sip:bob@example.com>;tag=b1"
	const uri = "sip:bob@203.0.113.9:5061;transport=tls"
	for _, tc := range []struct {
		name, text string
		src        *reactor.Source
		same       bool
	}{
		{"retransmission", invite(), overTLS, true},
		{"CANCEL", request("CANCEL", uri), overTLS, true},
		{"ACK to a negative response", request("ACK", uri, tag), overTLS, true},
		{"another branch", invite("Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient2"), overTLS, false},
		{"another sent-by", invite("Via: SIP/2.0/TLS 198.51.100.7:5062;branch=z9hG4bKclient1"), overTLS, false},
		{"a client that repeats branches", invite("Call-ID: call2@198.51.100.7"), overTLS, false},
		{"next CSeq", invite("CSeq: 8 INVITE"), overTLS, false},
		{"another connection", invite(), &other, false},
	} {
		if got := branchOf(b, tc.text, tc.src); (got == base) != tc.same {
			t.Errorf("%s: same branch %v, want %v", tc.name, got == base, tc.same)
		}
	}
}

// Without the cookie the branch of the client says nothing (RFC 3261 16.11).
func TestBranchOfOldClients(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("tls:203.0.113.9")) }})
	const via, tag, uri = "Via: SIP/2.0/TLS 198.51.100.7:5061;branch=1", "To: <sip:bob@example.com>;tag=b1", "sip:bob@203.0.113.9"
	base := branchOf(b, request("INVITE", uri, via), overTLS)
	for _, tc := range []struct {
		name, text string
		same       bool
	}{
		{"retransmission", request("INVITE", uri, via), true},
		{"CANCEL", request("CANCEL", uri, via), true},
		{"ACK to a negative response", request("ACK", uri, via, tag), true},
		{"Request-URI", request("INVITE", "sip:carol@203.0.113.9", via), false},
		{"CSeq", request("INVITE", uri, via, "CSeq: 8 INVITE"), false},
		{"Call-ID", request("INVITE", uri, via, "Call-ID: x"), false},
		{"From tag", request("INVITE", uri, via, "From: <sip:alice@example.com>;tag=a2"), false},
	} {
		if got := branchOf(b, tc.text, overTLS); (got == base) != tc.same {
			t.Errorf("%s: same branch %v, want %v", tc.name, got == base, tc.same)
		}
	}
	if branchOf(b, request("BYE", uri, via, tag), overTLS) == branchOf(b, request("BYE", uri, via), overTLS) {
		t.Error("the To tag of a BYE does not matter")
	}
}

// RFC 3261 18.2.1, RFC 3581 4: what we note in the client's Via.
func TestReceivedAndRport(t *testing.T) {
	const ours = "198.51.100.7"
	for _, tc := range []struct{ name, via, want string }{
		{"same address", "SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bK1", "SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bK1"},
		{"another address", "SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1", "SIP/2.0/TLS 10.0.0.1;received=" + ours + ";branch=z9hG4bK1"},
		{"a name", "SIP/2.0/TLS pc.example.com:5061;branch=z9hG4bK1", "SIP/2.0/TLS pc.example.com:5061;received=" + ours + ";branch=z9hG4bK1"},
		{"rport", "SIP/2.0/TLS 198.51.100.7;rport;branch=z9hG4bK1", "SIP/2.0/TLS 198.51.100.7;received=" + ours + ";rport=40000;branch=z9hG4bK1"},
		{"rport last", "SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1;rport", "SIP/2.0/TLS 10.0.0.1;received=" + ours + ";branch=z9hG4bK1;rport=40000"},
		{"rport with a value is not believed", "SIP/2.0/TLS 10.0.0.1;rport=1;branch=z9hG4bK1", "SIP/2.0/TLS 10.0.0.1;received=" + ours + ";rport=40000;branch=z9hG4bK1"},
		{"received is not believed", "SIP/2.0/TLS 198.51.100.7;received=203.0.113.66;branch=z9hG4bK1", "SIP/2.0/TLS 198.51.100.7;received=" + ours + ";branch=z9hG4bK1"},
		{"received behind rport", "SIP/2.0/TLS 10.0.0.1;rport;branch=z9hG4bK1;received=1.2.3.4", "SIP/2.0/TLS 10.0.0.1;rport=40000;branch=z9hG4bK1;received=" + ours},
		{"received before rport", "SIP/2.0/TLS 10.0.0.1;received=1.2.3.4;branch=z9hG4bK1;rport", "SIP/2.0/TLS 10.0.0.1;received=" + ours + ";branch=z9hG4bK1;rport=40000"},
		{"no parameters", "SIP/2.0/TLS 10.0.0.1", "SIP/2.0/TLS 10.0.0.1;received=" + ours},
		{"several in a line", "SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2", "SIP/2.0/TLS 10.0.0.1;received=" + ours + ";branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{})
			if got := headers(t, b.one(invite("Via: "+tc.via), overTLS).text, "Via")[1]; got != tc.want {
				t.Errorf("forwarded\n got %s\nwant %s", got, tc.want)
			}
			b = newBed(t, funcs{request: func(c *Context) { _ = c.Respond(200, nil) }})
			if got := headers(t, b.one(invite("Via: "+tc.via), overTLS).text, "Via")[0]; got != tc.want {
				t.Errorf("response\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestForceRPort(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { c.ForceRPort(); _ = c.Forward(nil) }})
	want := "SIP/2.0/TLS 198.51.100.7:5061;received=198.51.100.7;rport=40000;branch=z9hG4bKclient1"
	if got := headers(t, b.one(invite(), overTLS).text, "Via")[1]; got != want {
		t.Errorf("got %s", got)
	}
	b = newBed(t, funcs{})
	if got := headers(t, b.one(invite(), overTLS).text, "Via")[1]; strings.Contains(got, "rport") {
		t.Errorf("the next message has it too: %s", got)
	}
}

func TestReceivedIPv6(t *testing.T) {
	src := &reactor.Source{Conn: 5, Proto: reactor.TLS, Socket: tls6Socket,
		Remote: netip.MustParseAddrPort("[2001:db8::7]:40000"), Local: tls6Socket.Addr}
	b := newBed(t, funcs{})
	for via, want := range map[string]string{
		"SIP/2.0/TLS [2001:DB8:0::7]:5061;branch=z9hG4bK1": "SIP/2.0/TLS [2001:DB8:0::7]:5061;branch=z9hG4bK1",
		"SIP/2.0/TLS [2001:db8::8]:5061;branch=z9hG4bK1":   "SIP/2.0/TLS [2001:db8::8]:5061;received=2001:db8::7;branch=z9hG4bK1",
	} {
		s := b.one(request("INVITE", "sips:[2001:db8::9]", "Via: "+via), src)
		vias := headers(t, s.text, "Via")
		if vias[1] != want || !strings.HasPrefix(vias[0], "SIP/2.0/TLS [2001:db8::1]:5061;branch=") {
			t.Errorf("Vias %q", vias)
		}
	}
}

// An IPv4 address in the form of IPv6, as a dual socket reports it, is the IPv4
// address.
func TestReceivedMapped(t *testing.T) {
	src := *overTLS
	src.Remote = netip.MustParseAddrPort("[::ffff:198.51.100.7]:40000")
	b := newBed(t, funcs{})
	if got := headers(t, b.one(invite(), &src).text, "Via")[1]; strings.Contains(got, "received") {
		t.Errorf("Via %s", got)
	}
}

// RFC 3261 16.3 item 4, RFC 5393: a request that comes back as it was is a loop,
// one that was changed on its way is a spiral.
func TestLoops(t *testing.T) {
	b := newBed(t, funcs{request: func(c *Context) { _ = c.Forward([]byte("tls:192.0.2.1:5061")) }})
	self := *overTLS
	self.Conn, self.Remote = 0x300, netip.MustParseAddrPort("192.0.2.1:50000")
	first := b.one(invite(), overTLS)
	second := b.one(first.text, &self) // by another way than the first time
	r := b.one(second.text, &self)
	if !strings.HasPrefix(r.text, "SIP/2.0 482 Loop Detected\r\n") || r.to.Conn != self.Conn {
		t.Errorf("got %s to %+v", firstLine(r.text), r.to)
	}
	b.counts(map[Counter]uint64{RequestsOut: 2, Loops: 1, OwnResponses: 1})
	spiral := strings.Replace(second.text, "INVITE sip:bob@", "INVITE sip:carol@", 1)
	if s := b.one(spiral, &self); !strings.HasPrefix(s.text, "INVITE ") {
		t.Errorf("a spiral is answered %s", firstLine(s.text))
	}
	routed := strings.Replace(second.text, "Max-Forwards", "Route: <sip:203.0.113.9;lr>\r\nMax-Forwards", 1)
	if s := b.one(routed, &self); !strings.HasPrefix(s.text, "INVITE ") {
		t.Errorf("a request with another Route is answered %s", firstLine(s.text))
	}
	ack := strings.ReplaceAll(second.text, "INVITE", "ACK")
	if list := b.pass(ack, &self); len(list) != 0 {
		t.Errorf("a looping ACK leads to %+v", list)
	}
}

// The Vias may share a header; ours may stand further down.
func TestLoopBehindOthers(t *testing.T) {
	b := newBed(t, funcs{})
	s := b.one(invite(), overTLS)
	text := strings.Replace(s.text, "\r\nVia: SIP/2.0/TLS 198", ", SIP/2.0/TLS 198", 1)
	text = strings.Replace(text, "Via: ", "Via: SIP/2.0/TLS 203.0.113.1;branch=z9hG4bKx, ", 1)
	if r := b.one(text, overTLS); !strings.HasPrefix(r.text, "SIP/2.0 482 ") {
		t.Errorf("got %s", firstLine(r.text))
	}
}

func TestAppendField(t *testing.T) {
	one := appendField(appendField(nil, []byte("ab")), []byte("c"))
	two := appendField(appendField(nil, []byte("a")), []byte("bc"))
	if string(one) == string(two) {
		t.Error("two lists of fields read the same")
	}
}

func TestInviteFamily(t *testing.T) {
	for m, want := range map[sipframe.Method]bool{sipframe.INVITE: true, sipframe.ACK: true, sipframe.CANCEL: true, sipframe.BYE: false} {
		if inviteFamily(m) != want {
			t.Error(m)
		}
	}
}
