package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestExampleCommand(t *testing.T) {
	code, out, _ := command(t, "example")
	for _, name := range exampleNames {
		if !strings.Contains(out, "  "+name+" ") {
			t.Errorf("the list lacks %s", name)
		}
		if c, text, _ := command(t, "example", name); c != exitOK || !strings.Contains(text, "route") {
			t.Errorf("%s: exit code %d", name, c)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if code, _, errs := command(t, "example", "nothing"); code != exitUsage || !strings.Contains(errs, "load-balancer") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestExampleLoadBalancer: two boxes share the calls; when one dies no call fails, and it is seen and taken out.
func TestExampleLoadBalancer(t *testing.T) {
	one, two := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "load-balancer", "192.0.2.11:5061", one.at, "192.0.2.12:5061", two.at)
	caller := c.dial("127.0.0.1")
	for i := range 4 {
		if code := c.call(caller, "TLS", "", "sip:bob@example.com", fmt.Sprintf("before%d", i)); code != "200" {
			t.Fatalf("call %d: %s", i, code)
		}
	}
	if a, b := len(one.requests("INVITE")), len(two.requests("INVITE")); a != 2 || b != 2 {
		t.Errorf("calls %d and %d", a, b)
	}
	c.eventually("both are pinged", func() bool { return len(one.requests("OPTIONS")) > 0 && len(two.requests("OPTIONS")) > 0 })
	one.close()
	for i := range 6 {
		if code := c.call(caller, "TLS", "", "sip:bob@example.com", fmt.Sprintf("after%d", i)); code != "200" {
			t.Fatalf("call %d with a dead box: %s", i, code)
		}
	}
	c.eventually("the dead box is out", func() bool { return strings.Contains(c.mi("ds_list"), "Probing") })
	if list := c.mi("destinations"); !strings.Contains(list, "Probing") || !strings.Contains(list, "a ping ") && !strings.Contains(list, "script") {
		t.Errorf("destinations: %s", list)
	}
	if code := c.call(caller, "TLS", "", "sip:bob@elsewhere.example", "stranger"); code != "403" {
		t.Errorf("a call to elsewhere: %s", code)
	}
}

// TestExampleTrunkEdge: the PBX calls out though a gateway is dead, and is called by a carrier.
func TestExampleTrunkEdge(t *testing.T) {
	alive, other := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "trunk-edge", "192.0.2.11:5061", "127.0.0.2:"+freePort(t), "192.0.2.12:5061", alive.at, "192.0.2.21:5061", other.at)
	for i := range 5 {
		if code := c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, fmt.Sprintf("out%d", i)); code != "200" {
			t.Fatalf("call %d: %s", i, code)
		}
	}
	if n := len(alive.requests("INVITE")); n != 5 {
		t.Errorf("the other gateway of the first carrier has %d calls", n)
	}
	if code := c.call(c.pbx, "UDP", c.udp, "sip:49301@"+c.udp, "berlin"); code != "200" {
		t.Errorf("a call by the second carrier: %s", code)
	}
	if calls := other.requests("INVITE"); len(calls) != 1 || !strings.HasPrefix(calls[0], "INVITE sip:009301@127.0.0.2:") {
		t.Errorf("the second carrier has %q", calls)
	}
	c.eventually("the dead gateway is out", func() bool { return strings.Contains(c.mi("dr_gw_status", "gw_id=a1"), "Probing") })
	carrier := c.dial("127.0.0.2")
	if code := c.call(carrier, "TLS", "", "sip:100@example.com", "in"); code != "200" || len(c.pbx.requests("INVITE")) != 1 {
		t.Errorf("a call that comes in: %s", code)
	}
	if code := c.call(c.dial("127.0.0.3"), "TLS", "", "sip:100@example.com", "stranger"); code != "403" {
		t.Errorf("a call of a stranger: %s", code)
	}
	// A number that has a way, but none that is alive now, is not one that does not exist.
	alive.close()
	other.close()
	dead := 0
	c.eventually("all gateways are out", func() bool {
		dead++
		c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, fmt.Sprintf("dead%d", dead))
		return strings.Count(c.mi("dr_gw_status"), "Probing") == 3
	})
	if code := c.call(c.pbx, "UDP", c.udp, "sip:+331@"+c.udp, "nobody"); code != "503" {
		t.Errorf("a call while all gateways are dead: %s", code)
	}
}

// TestExampleDirectRouting: we are known by our name, in pings and calls.
func TestExampleDirectRouting(t *testing.T) {
	first, second := listenTLS(t, "127.0.0.2:0"), listenTLS(t, "127.0.0.2:0")
	c := try(t, "direct-routing", "sip.pstnhub.microsoft.com:5061", "127.0.0.2:"+freePort(t), "sip2.pstnhub.microsoft.com:5061", first.at,
		"sip3.pstnhub.microsoft.com:5061", second.at, `"ds_ping_interval", 30`, `"ds_ping_interval", 1`)
	c.eventually("pings", func() bool { return len(first.requests("OPTIONS")) > 0 })
	if ping := first.requests("OPTIONS")[0]; !strings.Contains(ping, "\r\nContact: <sip:sbc.example.com:5061;transport=tls>\r\n") || !strings.Contains(ping, "From: <sip:sbc.example.com>;tag=") {
		t.Errorf("ping %s", ping)
	}
	if code := c.call(c.pbx, "UDP", c.udp, "sip:+4930@"+c.udp, "out"); code != "200" {
		t.Fatalf("call: %s", code)
	}
	calls := first.requests("INVITE")
	if len(calls) != 1 || !strings.Contains(calls[0], "Record-Route: <sip:sbc.example.com:5061;transport=tls") || !strings.HasPrefix(calls[0], "INVITE sip:+4930@"+first.at) {
		t.Errorf("the call at the second name: %q", calls)
	}
	if code := c.call(c.dial("127.0.0.2"), "TLS", "", "sip:100@sbc.example.com", "in"); code != "200" || len(c.pbx.requests("INVITE")) != 1 {
		t.Errorf("a call that comes in: %s", code)
	}
	if code := c.call(c.dial("127.0.0.3"), "TLS", "", "sip:100@sbc.example.com", "stranger"); code != "403" {
		t.Errorf("a call of a stranger: %s", code)
	}
}

// TestExampleBridge: a call comes by TLS and reaches the server by UDP, with a Record-Route for each side.
func TestExampleBridge(t *testing.T) {
	c := try(t, "tls-to-udp")
	if code := c.call(c.dial("127.0.0.1"), "TLS", "", "sip:100@example.com", "in"); code != "200" {
		t.Fatalf("call: %s", code)
	}
	call := c.pbx.requests("INVITE")[0]
	if strings.Count(call, "Record-Route: ") != 2 || !strings.Contains(call, "transport=tls") {
		t.Errorf("%s", call)
	}
}

// TestExamplesAreClosed: a stranger reaches nobody of his choice by them, whatever Route and Request-URI say.
func TestExamplesAreClosed(t *testing.T) {
	for _, name := range []string{"edge", "load-balancer", "trunk-edge", "direct-routing", "tls-to-udp"} {
		t.Run(name, func(t *testing.T) {
			dead := "127.0.0.2:" + freePort(t)
			c := try(t, name, "192.0.2.11:5061", dead, "192.0.2.12:5061", dead, "192.0.2.21:5061", dead,
				"sip.pstnhub.microsoft.com:5061", dead, "sip2.pstnhub.microsoft.com:5061", dead, "sip3.pstnhub.microsoft.com:5061", dead)
			trap, stranger := listenUDP(t, "127.0.0.4:0"), c.dial("127.0.0.3")
			route := "Route: <sip:" + c.tls + ";transport=tls;lr>"
			for i, a := range []struct{ method, uri, extra string }{
				{"MESSAGE", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"MESSAGE", "sip:x@example.com;maddr=127.0.0.4", "To: <sip:x@y>"},
				{"INVITE", "sip:x@" + c.tls, "To: <sip:x@y>\r\nRoute: <sip:" + trap.at + ";lr>"},
				{"INVITE", "sip:x@example.com", "To: <sip:x@y>\r\n" + route + ", <sip:" + trap.at + ";lr>"},
				{"BYE", "sip:x@" + trap.at, "To: <sip:x@y>;tag=made-up\r\n" + route},
				{"BYE", "sip:x@example.com", "To: <sip:x@y>;tag=made-up\r\n" + route + ", <sip:" + trap.at + ";lr>"},
				{"ACK", "sip:x@" + trap.at, "To: <sip:x@y>;tag=made-up\r\n" + route},
				{"ACK", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"CANCEL", "sip:x@" + trap.at, "To: <sip:x@y>"},
				{"OPTIONS", "sip:" + c.tls, "To: <sip:x@y>"},
			} {
				id := fmt.Sprintf("attack%d", i)
				stranger.send(fmt.Sprintf(" %[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.3:5061;branch=z9hG4bK%[3]s\r\nMax-Forwards: 70\r\nFrom: <sip:m@y>;tag=1\r\n%[4]s\r\n"+
					"Call-ID: %[3]s\r\nCSeq: 1 %[1]s\r\nContent-Length: 0\r\n\r\n", a.method, a.uri, id, a.extra))
				if a.method != "ACK" && a.method != "CANCEL" {
					c.eventually(a.method+" "+a.uri+" is answered", func() bool { return stranger.final(id) != "" })
				}
			}
			trap.mu.Lock()
			defer trap.mu.Unlock()
			if len(trap.heard) > 0 {
				t.Errorf("the stranger reached whom he liked: %q", trap.heard)
			}
			c.pbx.mu.Lock()
			defer c.pbx.mu.Unlock()
			for _, m := range c.pbx.heard {
				if strings.Contains(m, "\r\nRoute: <sip:"+trap.at) {
					t.Errorf("the stranger's Route reaches who trusts us: %q", m)
				}
			}
		})
	}
}
