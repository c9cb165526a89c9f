package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/hep"
)

// collector is what packets of tracing are sent to.
type collector struct {
	t  *testing.T
	pc net.PacketConn
}

func collect(t *testing.T) *collector {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	return &collector{t, pc}
}

// id declares the collector under a name.
func (k *collector) id(name string) string {
	return fmt.Sprintf("modparam(\"proto_hep\", \"hep_id\", \"[%s]%v;transport=udp;version=3\")\n", name, k.pc.LocalAddr())
}

// payload gives the next packet's payload; "" when there is none for a while.
func (k *collector) payload(wait time.Duration) string {
	k.t.Helper()
	p := k.packet(wait)
	return string(p.Payload)
}

// packet gives the next packet; an empty one when there is none for a while.
func (k *collector) packet(wait time.Duration) (p hep.Packet) {
	k.t.Helper()
	buf := make([]byte, hep.MaxPacket)
	_ = k.pc.SetReadDeadline(time.Now().Add(wait))
	n, _, err := k.pc.ReadFrom(buf)
	if err != nil {
		return p
	}
	if err := p.Decode(buf[:n]); err != nil {
		k.t.Fatal(err)
	}
	return p
}

// tracingTo starts a node with the trace parameters of a transport.
func tracingTo(t *testing.T, params ...string) *contract {
	t.Helper()
	c := start(t, append([]string{"loadmodule \"proto_hep.so\"\n"}, params...)...)
	c.Cleanup(c.node.close)
	return c
}

// trace writes a trace parameter of a transport's module.
func trace(transport, name string, value any) string {
	return fmt.Sprintf("modparam(\"proto_%s\", \"trace_%s\", %v)\n", transport, name, value)
}

func TestContractTraceDestination(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		for _, name := range []string{"first", "second"} {
			first, second := collect(t), collect(t)
			c := tracingTo(t, first.id("first"), second.id("second"),
				trace(transport, "destination", `"`+name+`"`), trace(transport, "on", 1))
			c.dial(transport)
			told, silent := first, second
			if name == "second" {
				told, silent = second, first
			}
			if got := told.payload(patience); !strings.Contains(got, "ACCEPTED") || !strings.Contains(got, "SUCCESS") {
				t.Errorf("%s was told %q", name, got)
			}
			if got := silent.payload(fast); got != "" {
				t.Errorf("the other one was told %q", got)
			}
		}
	})
}

func TestContractTraceOn(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		for _, on := range []int{0, 1} {
			k := collect(t)
			c := tracingTo(t, k.id("k"), trace(transport, "destination", `"k"`), trace(transport, "on", on))
			c.dial(transport)
			wait := patience
			if on == 0 {
				wait = quietTime
			}
			if got := k.payload(wait); (got != "") != (on == 1) {
				t.Errorf("trace_on %d: told %q", on, got)
			}
		}
	})
}

func TestContractTraceFilterRoute(t *testing.T) {
	both(t, func(t *testing.T, transport string) {
		for _, route := range []string{"nobody", "everybody"} {
			k := collect(t)
			c := tracingTo(t, k.id("k"), trace(transport, "destination", `"k"`), trace(transport, "on", 1),
				trace(transport, "filter_route", `"`+route+`"`),
				"route[nobody] { if ($si == \"127.0.0.1\") drop; }\nroute[everybody] { if ($si == \"192.0.2.1\") drop; }\n")
			c.dial(transport)
			wait := patience
			if route == "nobody" {
				wait = quietTime
			}
			if got := k.payload(wait); (got != "") != (route == "everybody") {
				t.Errorf("route[%s]: told %q", route, got)
			}
		}
	})
}

func TestContractTraceNowhere(t *testing.T) {
	c := prepare(t)
	text := "socket=tls:127.0.0.1:5061\n" + c.text("loadmodule \"proto_hep.so\"\n", trace("tls", "destination", `"nowhere"`))
	if code := check(t.Context(), options{file: config(t, text)}, c.log, c.log); code != exitFailed || !strings.Contains(c.log.String(), "nowhere") {
		t.Errorf("exit code %d: %s", code, c.log)
	}
}
