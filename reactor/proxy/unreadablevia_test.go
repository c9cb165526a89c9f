package proxy

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// A request whose topmost Via cannot be read is answered to where it came from,
// over a datagram socket and over a stream.
func TestUnreadableVia(t *testing.T) {
	l := run(t, funcs{request: func(*Context) { t.Error("routed") }})
	for _, via := range []string{
		"SIP/2.0/UDP a\x01b;branch=z9hG4bK1", "SIP/2.0/UDP a:0;branch=z9hG4bK1", "SIP/2.0/UDP a:99999;branch=z9hG4bK1", "", "SIP/2.0",
	} {
		text := strings.Replace(request("OPTIONS", "sip:bob@203.0.113.9"), "Via: SIP/2.0/TLS 198.51.100.7:5061;branch=z9hG4bKclient1", "Via: "+via, 1)
		for _, network := range []string{"udp", "tcp"} {
			t.Run(fmt.Sprintf("%s %q", network, via), func(t *testing.T) {
				p := reactor.UDP
				if network == "tcp" {
					p = reactor.TCP
				}
				c, err := net.Dial(network, l.at(p))
				if err != nil {
					t.Fatal(err)
				}
				pr := newPeer(t, c)
				pr.say(text)
				if got := pr.expect("SIP/2.0 400 "); strings.Contains(got, "\x01") || !strings.Contains(got, "CSeq: 7 OPTIONS\r\n") {
					t.Errorf("%q", got)
				}
			})
		}
	}
	l.counted(RequestsRefused, 10)
}

// A header section over the limit is answered before the connection ends, where
// its Via has come.
func TestHeaderSectionTooLarge(t *testing.T) {
	l := run(t, funcs{}, func(c *reactor.Config) { c.MaxMessageSize = 4096 })
	c, err := net.Dial("tcp", l.at(reactor.TCP))
	if err != nil {
		t.Fatal(err)
	}
	p := newPeer(t, c)
	text := request("OPTIONS", "sip:bob@203.0.113.9")
	p.say(strings.Replace(text, "Contact:", strings.Repeat("X-Long: "+strings.Repeat("x", 100)+"\r\n", 60)+"Contact:", 1))
	if got := p.expect("SIP/2.0 400 Message Too Large"); !strings.Contains(got, "branch=z9hG4bKclient1") || !strings.Contains(got, "CSeq: 7 OPTIONS\r\n") {
		t.Errorf("%q", got)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the connection lives: %d, %v", n, err)
	}
}
