package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// pinged is a phone that registers and is pinged.
type pinged struct {
	*testing.T
	net.Conn
	proto string
}

// register registers a user and waits for the 200.
func (p *pinged) register(user string) {
	p.Helper()
	at := p.LocalAddr()
	fmt.Fprintf(p, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%[3]s@example.org>;tag=f\r\n"+
		"To: <sip:%[3]s@example.org>\r\nCall-ID: %[3]s\r\nCSeq: 1 REGISTER\r\nContact: <sip:%[3]s@%[2]s;transport=%[1]s>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", p.proto, at, user)
	if got := p.read(); !strings.HasPrefix(got, "SIP/2.0 200") {
		p.Fatalf("%s registers: %q", user, got)
	}
}

// read is a datagram, or a message without a body.
func (p *pinged) read() string {
	p.Helper()
	_ = p.SetReadDeadline(time.Now().Add(patience))
	if p.proto == "TCP" {
		m, err := readMessage(bufio.NewReader(p.Conn))
		if err != nil {
			p.Fatal(err)
		}
		return string(m.Raw())
	}
	b := make([]byte, 4096)
	n, err := p.Read(b)
	if err != nil {
		p.Fatal(err)
	}
	return string(b[:n])
}

// answer answers an OPTIONS.
func (p *pinged) answer(request string) {
	text := "SIP/2.0 200 OK\r\n"
	for line := range strings.SplitSeq(request, "\r\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				text += line + "\r\n"
			}
		}
	}
	fmt.Fprint(p, strings.Replace(text, "\r\nCall-ID:", ";tag=p\r\nCall-ID:", 1)+"Content-Length: 0\r\n\r\n")
}

// TestPings has phones pinged each in its way: by four bytes, by OPTIONS, by OPTIONS over the connection that it registered
// by. One that answers no longer goes, with the event that tells so, and so does one whose
// connection has ended.
func TestPings(t *testing.T) {
	t.Parallel()
	udp, tcp := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	path := config(t, `socket=udp:`+udp+`
socket=tcp:`+tcp+`
loadmodule "proto_udp.so"
loadmodule "proto_tcp.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "signaling.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "event_route.so"
modparam("usrloc", "nat_bflag", "NAT")
modparam("nathelper|registrar", "received_avp", "$avp(rcv)")
modparam("nathelper", "natping_interval", 1)
modparam("nathelper", "ping_nated_only", 1)
modparam("nathelper", "natping_tcp", 1)
modparam("nathelper", "sipping_bflag", "SIPPING")
modparam("nathelper", "remove_on_timeout_bflag", "REMOVE")
modparam("nathelper", "sipping_latency_flag", "TIMED")
modparam("nathelper", "sipping_from", "sip:ping@example.org")
modparam("nathelper", "ping_threshold", 3)
modparam("nathelper", "max_pings_lost", 1)
route {
	fix_nated_register();
	if ($tU != "far") setbflag("NAT");
	if ($tU == "nowhere") $avp(rcv) = "sip:0.0.0.0:9";
	else if ($tU != "bytes") setbflag("SIPPING");
	setbflag("REMOVE");
	if ($tU == "datagrams") setbflag("TIMED");
	save("location");
}
event_route[E_UL_LATENCY_UPDATE] { xlog("latency of $param(aor): $param(latency) us\n"); }
event_route[E_UL_CONTACT_DELETE] { xlog("gone: $param(aor) $param(uri)\n"); }
`)
	log, code := newOutput(), make(chan int, 1)
	go func() { code <- run(t.Context(), []string{"-f", path}, newOutput(), log) }()
	log.wait(t, "msg=ready")
	defer func() {
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	}()
	phone := func(proto, at string) *pinged {
		c, err := net.Dial(strings.ToLower(proto), at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return &pinged{T: t, Conn: c, proto: proto}
	}
	far, bytes, datagrams, stream := phone("UDP", udp), phone("UDP", udp), phone("UDP", udp), phone("TCP", tcp)
	far.register("far")
	bytes.register("bytes")
	datagrams.register("datagrams")
	stream.register("stream")

	if got := bytes.read(); got != "\x00\x00\x00\x00" {
		t.Errorf("a ping without SIP: %q", got)
	}
	got := datagrams.read()
	if !strings.HasPrefix(got, "OPTIONS sip:datagrams@"+datagrams.LocalAddr().String()) || !strings.Contains(got, "\r\nFrom: <sip:ping@example.org>;tag=") {
		t.Errorf("a ping by SIP: %q", got)
	}
	datagrams.answer(got)
	log.wait(t, "latency of datagrams: ")
	if got := stream.read(); !strings.HasPrefix(got, "OPTIONS sip:stream@") {
		t.Errorf("a ping by a connection: %q", got)
	}
	if got := datagrams.read(); !strings.HasPrefix(got, "OPTIONS ") { // and answers no longer
		t.Errorf("the second ping: %q", got)
	}
	log.wait(t, "gone: datagrams sip:datagrams@")
	ended := phone("TCP", tcp)
	ended.register("ended")
	ended.Close()
	log.wait(t, "gone: ended sip:ended@")
	phone("UDP", udp).register("nowhere")
	log.wait(t, "nathelper: a ping cannot be sent")
	_ = far.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := far.Read(make([]byte, 100)); err == nil {
		t.Errorf("a phone that is not behind NAT gets %d bytes", n)
	}
	if strings.Contains(log.String(), "latency of stream") {
		t.Error("how long a phone took is kept without the flag")
	}
	if strings.Contains(log.String(), "gone: bytes") {
		t.Error("a phone goes that is not pinged by SIP")
	}
}
