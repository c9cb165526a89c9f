package e2e

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"sipreactor/bench/process"
)

// length is for how long the calls of the main test begin.
func length() time.Duration {
	if testing.Short() {
		return 3 * time.Second
	}
	return 30 * time.Second
}

// TestCallsBothWays is the main job: 100 calls a second from A to B through TLS on both legs, and as many from B to A
// at the same time, none failed, none retransmitted.
func TestCallsBothWays(t *testing.T) {
	const rate = 100 // each way
	calls := int(length().Seconds()) * rate
	limit := length() + 20*time.Second

	e := startEdge(t)
	in := freePort(t)
	uasA, uasB, tlsA, tlsB := freePort(t), freePort(t), freePort(t), freePort(t)
	startHAProxy(t, e, in, map[string]string{tlsA: uasA, tlsB: uasB})

	var ends []*sipp
	for _, port := range [][2]string{{uasA, tlsA}, {uasB, tlsB}} {
		ends = append(ends, startSIPp(t, "uas", calls, "-t", "t1", "-p", port[0],
			"-key", "contact", "sip:uas@127.0.0.1:"+port[1]+";transport=tls"))
		process.WaitListening(t, port[0])
	}
	for _, callee := range []string{tlsB, tlsA} {
		ends = append(ends, startSIPp(t, "uac", calls, "-t", "t1", "-r", strconv.Itoa(rate),
			"-key", "callee", "sip:uas@127.0.0.1:"+callee+";transport=tls", "127.0.0.1:"+in))
	}
	untilFailure(t, limit, ends...)
	for _, s := range ends {
		s.clean(t, calls, limit)
	}
	e.stop(t, syscall.SIGTERM)
}

// TestScenarios runs the other scenarios of bench/sipp, each with a pair of sipp of its own.
func TestScenarios(t *testing.T) {
	e := startEdge(t)
	in := freePort(t)
	for _, c := range []struct {
		name, uac, uas, transport string
		calls, rate               int
	}{
		{"connection a call", "uac", "uas", "tn", 40, 20},
		{"re-INVITE", "uac_long", "uas_long", "t1", 50, 50},
		{"OPTIONS", "options", "answer", "t1", 200, 100},
		{"MESSAGE", "message", "answer", "t1", 200, 100},
		{"REGISTER", "register", "answer", "t1", 200, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			uas, tls := freePort(t), freePort(t)
			in = freePort(t)
			startHAProxy(t, e, in, map[string]string{tls: uas})
			uri := "sip:uas@127.0.0.1:" + tls + ";transport=tls"
			server := startSIPp(t, c.uas, c.calls, "-t", "t1", "-p", uas, "-key", "contact", uri)
			process.WaitListening(t, uas)
			client := startSIPp(t, c.uac, c.calls, "-t", c.transport, "-r", strconv.Itoa(c.rate), "-d", "100",
				"-key", "callee", uri, "127.0.0.1:"+in)
			client.clean(t, c.calls, 30*time.Second)
			server.clean(t, c.calls, 30*time.Second)
		})
	}
	e.stop(t, syscall.SIGINT)
}

// TestCallsDirect uses a sipp that speaks TLS itself.
func TestCallsDirect(t *testing.T) {
	if !hasTLS(t) {
		t.Skip("this sipp was built without TLS")
	}
	e := startEdge(t)
	uas := freePort(t)
	uri := "sip:uas@127.0.0.1:" + uas + ";transport=tls"
	pems := []string{"-t", "l1", "-tls_cert", e.dir + "/peer.pem", "-tls_key", e.dir + "/peer.key"}
	server := startSIPp(t, "uas", 300, append(pems, "-p", uas, "-key", "contact", uri)...)
	process.WaitListening(t, uas)
	client := startSIPp(t, "uac", 300, append(pems, "-r", "100", "-key", "callee", uri, e.addr)...)
	client.clean(t, 300, 30*time.Second)
	server.clean(t, 300, 30*time.Second)
	e.stop(t, syscall.SIGTERM)
}
