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

// A request whose header section is over the limit is answered before its connection
// ends, wherever in it that is what takes the room.
func TestHeaderSectionTooLarge(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	for name, edit := range map[string][2]string{
		"many headers":     {"Contact:", strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\r\n", 70) + "Contact:"},
		"a URI":            {"sip:bob@203.0.113.9 ", "sip:" + long + "@203.0.113.9 "},
		"a header":         {"Contact:", "X-Long: " + long + "\r\nContact:"},
		"the first header": {"\r\nVia:", "\r\nX-Long: " + long + "\r\nVia:"},
		"a display name":   {"\r\nFrom: ", "\r\nFrom: \"" + long + "\" "},
		"a parameter":      {";branch=", ";long=" + long + ";branch="},
	} {
		t.Run(name, func(t *testing.T) {
			l := run(t, funcs{}, func(*reactor.Config) {})
			for _, proto := range []reactor.Proto{reactor.TCP, reactor.TLS} {
				p := l.dial()
				if proto == reactor.TCP {
					c, err := net.Dial("tcp", l.at(proto))
					if err != nil {
						t.Fatal(err)
					}
					p = newPeer(t, c)
				}
				text := request("OPTIONS", "sip:bob@203.0.113.9")
				large := strings.Replace(text, edit[0], edit[1], 1)
				if large == text {
					t.Fatalf("no %q in %q", edit[0], text)
				}
				p.say(large)
				if got := p.expect("SIP/2.0 400 Message Too Large"); !strings.Contains(got, "branch=z9hG4bKclient1") || !strings.Contains(got, "CSeq: 7 OPTIONS\r\n") {
					t.Errorf("%v: %.200q", proto, got)
				}
				_ = p.SetReadDeadline(time.Now().Add(patience))
				if n, err := p.Read(make([]byte, 1)); n != 0 || err == nil {
					t.Errorf("%v: the connection lives: %d, %v", proto, n, err)
				}
			}
		})
	}
}

// A control character wherever RFC 3261 25.1 has none is answered 400, in the first line, too, and the connection goes on.
func TestControlsAreAnswered(t *testing.T) {
	l := run(t, funcs{})
	client := l.dial()
	good := request("OPTIONS", "sip:bob@192.0.2.1")
	for _, c := range []string{"\x00", "\x1b[2J", "\r", "\x7f"} {
		for _, at := range []string{"sip:bob@", "Call-ID: ", ";tag="} {
			client.say(strings.Replace(good, at, at+c, 1))
			client.expect("SIP/2.0 400 ")
		}
	}
}
