package script

import (
	"math"
	"strconv"
	"strings"
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
	"trace_master_key_in_clear":  toggle(func(c *settings, on bool) { c.Trace.MasterKeyInClear = on }),
}, "tls_", func(c *settings) *reactor.StreamConfig { return &c.Engine.TLS }, func(c *settings) *ConnTrace { return &c.Trace.TLS })

var protoTCPParams = withCommon(map[string]*globalSpec{
	"tcp_port":                      number(1, 65535, "", func(c *settings, n int) { c.Proxy.TCPPort = uint16(n) }),
	"tcp_async_local_write_timeout": idle(IntParam, "a write never blocks; see tcp_send_timeout"),
	"tcp_parallel_handling":         idle(BoolParam, "one loop reads a connection, all workers handle its messages"),
}, "tcp_", func(c *settings) *reactor.StreamConfig { return &c.Engine.TCP }, func(c *settings) *ConnTrace { return &c.Trace.TCP })

var protoUDPParams = map[string]*globalSpec{
	"udp_port": number(1, 65535, "", func(c *settings, n int) { c.Proxy.UDPPort = uint16(n) }),
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

const hepUsage = "is [name]host[:port][;transport=udp|tcp|tls][;version=1..3]"

// The parameters of proto_hep and tracer.

var protoHEPParams = map[string]*globalSpec{
	"hep_id":                          {typ: StringParam, set: addDestination},
	"trace_destination":               {typ: StringParam, set: addDestination},
	"hep_capture_id":                  number(0, math.MaxUint32, "", func(c *settings, n int) { c.Trace.CaptureID = uint32(n) }),
	"homer5_on":                       toggle(func(c *settings, on bool) { c.Trace.Homer5 = on }),
	"homer5_delim":                    textParam(func(c *settings, s string) string { c.Trace.Homer5Delim = s; return "" }),
	"hep_auth_key":                    textParam(func(c *settings, s string) string { c.Trace.AuthKey = s; return "" }),
	"hep_max_msg_queue":               number(1, 1<<20, "packets", func(c *settings, n int) { c.Trace.MaxMessages = n }),
	"hep_port":                        idle(IntParam, "no HEP is received; the port of a collector is in its hep_id"),
	"hep_send_timeout":                idle(IntParam, "sending never blocks; packets wait in a bounded queue"),
	"hep_max_msg_chunks":              idle(IntParam, "no HEP is received"),
	"hep_async":                       idle(BoolParam, "sending never blocks; packets wait in a bounded queue"),
	"hep_async_max_postponed_chunks":  idle(IntParam, "sending never blocks; packets wait in a bounded queue"),
	"hep_async_local_connect_timeout": idle(IntParam, "sending never blocks; packets wait in a bounded queue"),
	"hep_async_local_write_timeout":   idle(IntParam, "sending never blocks; packets wait in a bounded queue"),
	"hep_retry_cooldown":              idle(IntParam, "a lost collector is dialled again with growing pauses"),
}

var tracerParams = map[string]*globalSpec{
	"trace_on":                toggle(func(c *settings, on bool) { c.Trace.SIP.On = on }),
	"trace_id":                {typ: StringParam, set: addTraceID},
	"trace_local_ip":          idle(StringParam, "a packet names the socket that the message passed"),
	"syslog_default_facility": idle(AnyParam, "messages are not traced to a log"),
	"syslog_default_level":    idle(IntParam, "messages are not traced to a log"),
	"file_mode":               idle(IntParam, "messages are not traced to a file"),
}

// addTraceID reads a trace_id.
func addTraceID(c *settings, v Literal) string {
	rest, ok := strings.CutPrefix(v.Text, "[")
	name, rest, ok := cutIf(rest, "]", ok)
	to, isHEP := strings.CutPrefix(rest, "uri=hep:")
	if !ok || name == "" || !isHEP || to == "" {
		return "is [name]uri=hep:destination with the name of a hep_id; other places than HEP are not supported"
	}
	c.Trace.SIP.IDs = append(c.Trace.SIP.IDs, TraceID{v.At, name, to})
	return ""
}

// addDestination reads a hep_id.
func addDestination(c *settings, v Literal) string {
	d := TraceDestination{Pos: v.At, Port: 9060, Version: 3}
	rest, ok := strings.CutPrefix(v.Text, "[")
	if d.Name, rest, ok = cutIf(rest, "]", ok); !ok || d.Name == "" {
		return hepUsage
	}
	addr, params, _ := strings.Cut(rest, ";")
	host, port, msg := splitHost(strings.TrimSpace(addr))
	if msg != "" || host == "*" {
		return hepUsage + ": " + clip(addr) + " is no host"
	}
	if d.Host = host; port != 0 {
		d.Port = port
	}
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name = strings.TrimSpace(name); strings.ToLower(name) {
		case "transport":
			switch d.Transport = strings.ToLower(strings.TrimSpace(value)); d.Transport {
			case "udp", "tcp", "tls":
			default:
				return hepUsage + ": there is no transport " + clip(value)
			}
		case "version":
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil || n < 1 || n > 3 {
				return "has version=" + clip(value) + ": the versions are 1, 2 and 3"
			}
			d.Version = n
		case "":
		default:
			return hepUsage + ": unknown " + clip(name) + hint(name, []string{"transport", "version"})
		}
	}
	switch {
	case d.Transport == "" && d.Version < 3:
		d.Transport = "udp"
	case d.Transport == "":
		d.Transport = "tcp"
	case d.Transport != "udp" && d.Version < 3:
		return "has version=" + itoa(d.Version) + " and transport=" + d.Transport + ": before version 3 there is UDP alone"
	}
	if d.Version < 3 {
		c.rep.notef(v.At, "hep_id %s: version 3 is sent instead of %d; it carries events of connections as well, and who takes HEP takes it", d.Name, d.Version)
	}
	for _, other := range c.Trace.Destinations {
		if other.Name == d.Name {
			return "names " + d.Name + " a second time"
		}
	}
	c.Trace.Destinations = append(c.Trace.Destinations, d)
	return ""
}

// cutIf is strings.Cut for text whose beginning was right.
func cutIf(s, sep string, ok bool) (before, after string, found bool) {
	if !ok {
		return "", s, false
	}
	return strings.Cut(s, sep)
}
