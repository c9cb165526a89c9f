package main

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// inNamespace is set for a child process of TestMultiHomed, in a network of its own.
const inNamespace = "SIPREACTOR_TEST_IN_NAMESPACE"

// homes are two networks on one machine: the route to each peer has the address of its network as its source.
const homes = `set -e
ip link set lo up
for a in 10.1.0.1 10.2.0.1 10.1.0.9 10.2.0.9; do ip addr add $a/32 dev lo; done
ip route replace local 10.1.0.9 dev lo table local src 10.1.0.1
ip route replace local 10.2.0.9 dev lo table local src 10.2.0.1
exec "$0" -test.run '^TestMultiHomed$' -test.v`

// With mhomed a request leaves by the socket on the route to its next hop, and Record-Route names both sides. It runs
// in a network namespace of its own.
func TestMultiHomed(t *testing.T) {
	if os.Getenv(inNamespace) == "" {
		child := exec.Command("unshare", "-n", "sh", "-c", homes, os.Args[0])
		child.Env = append(os.Environ(), inNamespace+"=1")
		out, err := child.CombinedOutput()
		switch {
		case !strings.Contains(string(out), "=== RUN"):
			t.Skipf("no network namespace is to be had: %v: %s", err, out)
		case err != nil:
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	listen := func(address string) *net.UDPConn {
		a, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.ListenUDP("udp", a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	caller, callee := listen("10.1.0.9:5070"), listen("10.2.0.9:5060")
	child, log := asChild(t, "-f", config(t, `socket=udp:10.1.0.1:5060
socket=udp:10.2.0.1:5060
mhomed=yes
loadmodule "proto_udp.so"
loadmodule "rr.so"
route { record_route(); forward(); }
`))
	log.wait(t, "ready")
	request := strings.ReplaceAll(`INVITE sip:b@10.2.0.9 SIP/2.0
Via: SIP/2.0/UDP 10.1.0.9:5070;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:a@10.1.0.9>;tag=1
To: <sip:b@10.2.0.9>
Call-ID: 1
CSeq: 1 INVITE
Content-Length: 0

`, "\n", "\r\n")
	if _, err := caller.WriteToUDP([]byte(request), &net.UDPAddr{IP: net.IPv4(10, 1, 0, 1), Port: 5060}); err != nil {
		t.Fatal(err)
	}
	_ = callee.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 65535)
	n, from, err := callee.ReadFromUDP(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	text := string(b[:n])
	if from.String() != "10.2.0.1:5060" || !strings.Contains(text, "\r\nVia: SIP/2.0/UDP 10.2.0.1:5060;") ||
		!strings.Contains(text, "\r\nRecord-Route: <sip:10.2.0.1;r2=on;lr;ftag=1>\r\nRecord-Route: <sip:10.1.0.1;r2=on;lr;ftag=1>\r\n") {
		t.Errorf("from %v:\n%s", from, text)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
}
