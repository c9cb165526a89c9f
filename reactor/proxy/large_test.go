package proxy

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor"
)

// large is a request of so many bytes by which a client wants to reach uri.
func large(method, uri string, size int, more ...string) string {
	text := request(method, uri, more...)
	return request(method, uri, append(more, "X-Pad: "+strings.Repeat("x", size-len(text)-len("X-Pad: \r\n")))...)
}

// RFC 3261 18.1.1: a request that is too large for a datagram goes by TCP, and by UDP
// where that cannot be had, at once or later; the Via says so.
func TestLargeRequestsGoByTCP(t *testing.T) {
	const literal, named = "sip:bob@203.0.113.9", "sip:bob@example.org"
	for _, tc := range []struct {
		name, uri string
		size      int
		setup     func(c *Context)
		down      bool // nobody takes TCP
		want      reactor.Proto
	}{
		{"small", literal, 1000, nil, false, reactor.UDP},
		{"large", literal, 1301, nil, false, reactor.TCP},
		{"large by what we add", literal, 1200, func(c *Context) { c.RecordRoute(nil) }, false, reactor.TCP},
		{"large by what the script adds", literal, 1000, func(c *Context) {
			_ = c.AppendHeader([]byte("X-More: " + strings.Repeat("x", 300) + "\r\n"))
		}, false, reactor.TCP},
		{"large by its Record-Route", literal, 1000, func(c *Context) { c.RecordRoute(nil) }, false, reactor.TCP},
		{"large, no TCP there", literal, 2000, nil, true, reactor.UDP},
		{"large, to a name", named, 2000, nil, false, reactor.TCP},
		{"large, to a name, no TCP there", named, 2000, nil, true, reactor.UDP},
		{"large, from a listener of the script's", literal, 2000, func(c *Context) { c.SetSendSocket(udpSocket) }, false, reactor.UDP},
		{"large, over TLS", literal + ";transport=tls", 2000, nil, false, reactor.TLS},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t, funcs{request: func(c *Context) {
				if tc.setup != nil {
					tc.setup(c)
				}
				_ = c.Forward(nil)
			}}, func(c *Config) { c.Resolver = addresses("203.0.113.9:5060") })
			b.refuse = func(to *reactor.Target) error {
				if tc.down && to.Proto == reactor.TCP {
					return &reactor.Error{Reason: reactor.ConnectFailed, Blame: reactor.BlamePeer}
				}
				return nil
			}
			text := large("MESSAGE", tc.uri, tc.size)
			for range 2 {
				s := b.one(text, overTLS)
				via := headers(t, s.text, "Via")[0]
				if s.to.Proto != tc.want || s.to.Socket.Proto != tc.want || !strings.HasPrefix(via, "SIP/2.0/"+tc.want.ViaName()+" ") {
					t.Fatalf("sent to %+v with Via %s", s.to, via)
				}
			}
		})
	}
	// Without a listener of TCP there is none to switch to.
	b := newBed(t, funcs{})
	b.proxy.SetSockets([]*reactor.Socket{udpSocket})
	if s := b.one(large("MESSAGE", literal, 3000), overUDP); s.to.Proto != reactor.UDP {
		t.Errorf("sent to %+v", s.to)
	}
}

// When TCP fails later the request goes to the same address by UDP; its CANCEL goes
// as it went.
func TestLargeRequestComesBack(t *testing.T) {
	for _, noFailover := range []bool{false, true} {
		b := newBed(t, funcs{}, func(c *Config) { c.NoFailover = noFailover })
		s := b.one(large("INVITE", "sip:bob@203.0.113.9", 2000), overTLS)
		if s.to.Proto != reactor.TCP {
			t.Fatalf("sent to %+v", s.to)
		}
		if c := b.one(request("CANCEL", "sip:bob@203.0.113.9"), overTLS); c.to.Proto != reactor.TCP {
			t.Errorf("the CANCEL went to %+v", c.to)
		}
		out := b.failLate(s)
		if len(out) != 1 || out[0].to.Proto != reactor.UDP || out[0].to.Addr != s.to.Addr || out[0].to.Socket != udpSocket {
			t.Fatalf("%+v", out)
		}
		if via := headers(t, out[0].text, "Via")[0]; !strings.HasPrefix(via, "SIP/2.0/UDP 192.0.2.1:5060;") {
			t.Errorf("Via %s", via)
		}
		if c := b.one(request("CANCEL", "sip:bob@203.0.113.9", "Call-ID: other"), overTLS); c.to.Proto != reactor.UDP {
			t.Errorf("the CANCEL of another went to %+v", c.to)
		}
	}
}

// A transaction's branch goes by TCP, and by UDP when that fails; not if the address
// has answered.
func TestLargeBranch(t *testing.T) {
	for _, reached := range []bool{false, true} {
		var w Way
		var text []byte
		b := newBed(t, funcs{request: func(c *Context) {
			if err := errors.Join(c.Aim(nil, &w), c.SendBranch(1, 0, &w, &text)); err != nil || !w.Reliable() || !w.More() || !w.Several() {
				t.Errorf("%v, %+v", err, w)
			}
			if reached {
				w.Reached()
				return
			}
			if err := c.SendBranch(1, 0, &w, &text); err != nil || w.Reliable() || w.More() {
				t.Errorf("%v, %+v", err, w)
			}
		}})
		out := b.pass(large("INVITE", "sip:bob@203.0.113.9", 2000), overTLS)
		if n := 2; reached && (len(out) != 1 || w.More()) || !reached && len(out) != n {
			t.Errorf("reached %v: %d sent, more %v", reached, len(out), w.More())
		}
	}
}

// A peer that speaks only UDP gets large requests, too.
func TestLargeToUDPOnly(t *testing.T) {
	uas, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer uas.Close()
	l := run(t, funcs{})
	client, err := net.Dial("udp", l.at(reactor.UDP))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 65536)
	for i, size := range []int{500, 2000, 60000, 65000} {
		text := large("MESSAGE", "sip:bob@"+uas.LocalAddr().String(), size, fmt.Sprint("Call-ID: large", i))
		if _, err := client.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		_ = uas.SetReadDeadline(time.Now().Add(patience))
		n, _, err := uas.ReadFrom(buf)
		if err != nil || n < size || !strings.HasPrefix(string(buf[:n]), "MESSAGE ") {
			t.Fatalf("%d bytes: %d came, %v", size, n, err)
		}
	}
}
