package script

import (
	"math"
	"time"

	"sipreactor/reactor"
)

// The parameters of proto_tls and, with another prefix, of proto_tcp.

var protoTLSParams = withCommon(map[string]*globalSpec{
	"tls_port":              number(1, 65535, "", func(c *settings, n int) { c.Proxy.TLSPort = uint16(n) }),
	"tls_handshake_timeout": number(1, 60000, ms, func(c *settings, n int) { c.Engine.TLS.HandshakeTimeout = milliseconds(n) }),
	"tls_async_handshake_timeout": number(0, 60000, ms, func(c *settings, n int) {
		c.Engine.TLS.LocalHandshakeTimeout = milliseconds(n)
	}),
	"cert_check_on_conn_reusage": toggle(func(c *settings, on bool) { c.Engine.TLS.CertCheckOnReuse = on }),
	"trace_master_key":           toggle(func(c *settings, on bool) { c.Trace.MasterKey = on }),
}, "tls_", func(c *settings) *reactor.StreamConfig { return &c.Engine.TLS }, func(c *settings) *ConnTrace { return &c.Trace.TLS })

var protoTCPParams = withCommon(map[string]*globalSpec{
	"tcp_port":                      number(5060, 5060, "the port of a socket or URI that has none is fixed", func(*settings, int) {}),
	"tcp_async_local_write_timeout": idle(intParam, "a write never blocks; see tcp_send_timeout"),
	"tcp_parallel_handling":         idle(boolParam, "one loop reads a connection, all workers handle its messages"),
}, "tcp_", func(c *settings) *reactor.StreamConfig { return &c.Engine.TCP }, func(c *settings) *ConnTrace { return &c.Trace.TCP })

var protoUDPParams = map[string]*globalSpec{
	"udp_port": number(5060, 5060, "the port of a socket or URI that has none is fixed", func(*settings, int) {}),
}

// withCommon adds what stream protocols have in common.
func withCommon(m map[string]*globalSpec, prefix string, stream func(c *settings) *reactor.StreamConfig, trace func(c *settings) *ConnTrace) map[string]*globalSpec {
	m[prefix+"crlf_pingpong"] = toggle(func(c *settings, on bool) { stream(c).CRLFPingPong = on })
	m[prefix+"crlf_drop"] = toggle(func(c *settings, on bool) { stream(c).CRLFDrop = on })
	m[prefix+"max_msg_chunks"] = number(0, math.MaxInt32, "chunks, 0 = no limit", func(c *settings, n int) { stream(c).MaxChunks = n })
	m[prefix+"send_timeout"] = number(1, 60000, ms, func(c *settings, n int) { stream(c).SendTimeout = milliseconds(n) })
	m[prefix+"async"] = toggle(func(c *settings, on bool) { stream(c).Async = on })
	m[prefix+"async_max_postponed_chunks"] = number(0, 1<<20, "messages, 0 = none may wait", func(c *settings, n int) { stream(c).MaxPostponed = n })
	m[prefix+"async_local_connect_timeout"] = number(0, 60000, ms, func(c *settings, n int) { stream(c).LocalConnectTimeout = milliseconds(n) })
	m["trace_destination"] = textParam(func(c *settings, s string) string { trace(c).Destination = s; return "" })
	m["trace_on"] = toggle(func(c *settings, on bool) { trace(c).On = on })
	m["trace_filter_route"] = textParam(func(c *settings, s string) string { trace(c).FilterRoute = s; return "" })
	return m
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
