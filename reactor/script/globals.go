package script

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/proxy"
)

// ParamType is what values a parameter takes.
type ParamType uint8

// The types of parameters.
const (
	IntParam ParamType = iota
	BoolParam
	StringParam // a string in quotes
	WordParam   // a string or a bare word
	AnyParam
)

// globalSpec is a global parameter.
type globalSpec struct {
	typ      ParamType
	min, max int64                               // of an intParam
	unit     string                              // of an intParam
	set      func(c *settings, v Literal) string // what is wrong, "" = nothing
	note     string                              // why it does nothing here
	host     bool                                // the value is read as a host
	restart  bool                                // a reload does not change it
	socket   bool                                // the value names a listener
}

// allowed says which values a parameter takes.
func (g *globalSpec) allowed() string {
	switch g.typ {
	case BoolParam:
		return "0 or 1 (yes or no)"
	case StringParam:
		return "a string in quotes"
	case WordParam, AnyParam:
		return "a name or a string"
	default:
		return allowedRange(g.min, g.max, g.unit)
	}
}

// allowedNot is allowed where v is not: that a number is the highest of its kind is told to who went beyond.
func (g *globalSpec) allowedNot(v Literal) string {
	if g.typ == IntParam && g.max == math.MaxInt32 && v.IsInt && v.Int > g.max {
		return withUnit(fmt.Sprintf("a number from %d to %d", g.min, g.max), g.unit)
	}
	return g.allowed()
}

func allowedRange(lo, hi int64, unit string) string {
	if hi == math.MaxInt32 {
		return withUnit(fmt.Sprintf("a number from %d on", lo), unit)
	}
	return withUnit(fmt.Sprintf("a number from %d to %d", lo, hi), unit)
}

func withUnit(s, unit string) string {
	if unit != "" {
		s += " (" + unit + ")"
	}
	return s
}

// fits tells whether a value is one that the parameter takes.
func (g *globalSpec) fits(v Literal) bool {
	switch g.typ {
	case BoolParam:
		return v.IsInt && (v.Int == 0 || v.Int == 1)
	case StringParam:
		return v.Quoted
	case AnyParam:
		return true
	case WordParam:
		return !v.IsInt || !isDigit(v.Text[0]) && v.Text[0] != '-'
	default:
		return v.IsInt && g.min <= v.Int && v.Int <= g.max
	}
}

func number(lo, hi int64, unit string, set func(c *settings, n int)) *globalSpec {
	return &globalSpec{typ: IntParam, min: lo, max: hi, unit: unit,
		set: func(c *settings, v Literal) string { set(c, int(v.Int)); return "" }}
}

func toggle(set func(c *settings, on bool)) *globalSpec {
	return &globalSpec{typ: BoolParam, set: func(c *settings, v Literal) string { set(c, v.Int == 1); return "" }}
}

func textParam(set func(c *settings, s string) string) *globalSpec {
	return &globalSpec{typ: StringParam, set: func(c *settings, v Literal) string { return set(c, v.Text) }}
}

// idle is a parameter of OpenSIPS that means nothing here.
func idle(typ ParamType, why string) *globalSpec {
	return &globalSpec{typ: typ, min: math.MinInt32, max: math.MaxInt32, note: why}
}

const (
	ms  = "milliseconds"
	sec = "seconds"
)

// globals are the global parameters. A nil spec marks those that the parser
// treats itself.
var globals = map[string]*globalSpec{
	"db_default_url": {typ: StringParam, set: func(c *settings, v Literal) string {
		c.Databases.DefaultURL = v
		return ""
	}},
	"db_version_table": textParam(func(c *settings, s string) string {
		c.Databases.VersionTable = s
		return ""
	}),
	"db_max_async_connections": number(1, 1000, "connections", func(c *settings, n int) { c.Databases.Conns = n }),
	"state_dir": textParam(func(c *settings, s string) string {
		if !filepath.IsAbs(s) {
			return "is a path from the root, such as /var/lib/sipreactor"
		}
		c.StateDir = s
		return ""
	}),
	"log_level":             logLevel(func(c *settings, l LogLevel) { c.Log.Level = l }),
	"xlog_level":            logLevel(func(c *settings, l LogLevel) { c.Log.Script = l }),
	"xlog_print_level":      logLevel(func(c *settings, l LogLevel) { c.Log.Print = l }),
	"stderror_level_filter": logLevel(func(c *settings, l LogLevel) { c.Log.Filter = l }),
	"stderror_enabled":      toggle(func(c *settings, on bool) { c.Log.Stderr = on }),
	"log_stderror":          toggle(func(c *settings, on bool) { c.Log.Stderr = on }),
	"syslog_enabled":        toggle(func(c *settings, on bool) { c.Log.Syslog = on }),
	"log_prefix":            textParam(func(c *settings, s string) string { c.Log.Prefix = s; return "" }),
	"log_name":              textParam(func(c *settings, s string) string { c.Log.Name = s; return "" }),
	"syslog_name":           textParam(func(c *settings, s string) string { c.Log.Name = s; return "" }),
	"debug_mode": toggle(func(c *settings, on bool) {
		if on {
			c.Log.Level, c.Log.Stderr = LevelDebug, true
		}
	}),

	"tcp_workers":      workers(func(c *settings, n int) { c.Engine.Workers = max(c.Engine.Workers, n) }),
	"udp_workers":      number(0, 1024, "workers", func(c *settings, n int) { c.Engine.Workers = max(c.Engine.Workers, n) }),
	"tcp_loops":        number(1, 256, "event loops", func(c *settings, n int) { c.Engine.Loops = n }),
	"open_files_limit": number(16, math.MaxInt32, "descriptors", func(c *settings, n int) { c.OpenFiles = n }),

	"shutdown_timeout":     number(0, 3600, sec, func(c *settings, n int) { c.ShutdownTimeout = time.Duration(n) * time.Second }),
	"overload_queue_delay": number(0, 60000, ms, func(c *settings, n int) { c.Engine.QueueDelay = milliseconds(n) }),

	"tcp_max_connections_per_source":    number(0, math.MaxInt32, "accepted connections, 0 = no limit", func(c *settings, n int) { c.Engine.Sources.Connections = n }),
	"tls_max_handshakes_per_source":     number(0, math.MaxInt32, "handshakes under way, 0 = no limit", func(c *settings, n int) { c.Engine.Sources.Handshakes = n }),
	"tls_max_handshake_rate_per_source": number(0, math.MaxInt32, "handshakes a second, 0 = no limit", func(c *settings, n int) { c.Engine.Sources.HandshakeRate = n }),
	"tcp_max_unfinished_per_source":     number(0, math.MaxInt32, "incomplete messages, 0 = no limit", func(c *settings, n int) { c.Engine.Sources.Unfinished = n }),
	"tcp_source_limit_allow":            textParam(sourceAllow),

	"tcp_max_connections":       number(1, math.MaxInt32, "accepted connections", func(c *settings, n int) { c.Engine.MaxConnections = n }),
	"tcp_connection_lifetime":   number(1, math.MaxInt32, sec, func(c *settings, n int) { c.Engine.Lifetime = time.Duration(n) * time.Second }),
	"tcp_max_msg_time":          number(1, 3600, sec, func(c *settings, n int) { c.Engine.MaxMessageTime = time.Duration(n) * time.Second }),
	"tcp_max_msg_size":          number(1024, 65535, "bytes", func(c *settings, n int) { c.Engine.MaxMessageSize = n }),
	"tcp_connect_timeout":       number(1, 60000, ms, func(c *settings, n int) { c.Engine.ConnectTimeout = time.Duration(n) * time.Millisecond }),
	"tcp_async_connect_timeout": number(1, 60000, ms, func(c *settings, n int) { c.Engine.ParkedTimeout = time.Duration(n) * time.Millisecond }),
	"tcp_user_timeout":          number(1000, 3600000, ms, func(c *settings, n int) { c.Engine.UserTimeout = time.Duration(n) * time.Millisecond }),
	"tcp_backoff":               number(0, 3600, sec+", 0 off", func(c *settings, n int) { c.Engine.Backoff = time.Duration(n) * time.Second }),
	"tcp_socket_backlog":        number(1, 65535, "connections", func(c *settings, n int) { c.Engine.Backlog = n }),
	"tcp_listen_backlog":        number(1, 65535, "connections", func(c *settings, n int) { c.Engine.Backlog = n }),
	"tcp_keepalive":             toggle(func(c *settings, on bool) { c.Engine.Keepalive.Enabled = on }),
	"tcp_keepcount": number(0, 127, "probes", func(c *settings, n int) {
		c.Engine.Keepalive.Count = n
		c.Engine.Keepalive.Enabled = c.Engine.Keepalive.Enabled || n > 0
	}),
	"tcp_keepidle": number(0, 32767, sec, func(c *settings, n int) {
		c.Engine.Keepalive.Idle = time.Duration(n) * time.Second
		c.Engine.Keepalive.Enabled = c.Engine.Keepalive.Enabled || n > 0
	}),
	"tcp_keepinterval": number(0, 32767, sec, func(c *settings, n int) {
		c.Engine.Keepalive.Interval = time.Duration(n) * time.Second
		c.Engine.Keepalive.Enabled = c.Engine.Keepalive.Enabled || n > 0
	}),
	"tcp_accept_aliases":      number(0, 2, "0 never, 1 RFC 5923, 2 always", func(c *settings, n int) { c.Proxy.AcceptAliases = proxy.AliasPolicy(n) }),
	"tcp_no_new_conn_bflag":   {typ: WordParam, set: func(c *settings, v Literal) string { c.noNewFlag = v.Text; return "" }},
	"tcp_no_new_conn_rplflag": {typ: WordParam, set: func(c *settings, v Literal) string { c.noNewResponse = v.Text; return "" }},

	"branch_secret_file": textParam(func(c *settings, s string) string {
		key, err := proxy.ReadSecret(s)
		if err != nil {
			return "cannot be used: " + err.Error()
		}
		c.Proxy.Key = key
		return ""
	}),
	"max_headers": number(16, 16384, "headers of a message", func(c *settings, n int) { c.Proxy.Limits.Headers = n }),
	"max_vias":    number(2, 8192, "values of Via in a message", func(c *settings, n int) { c.Proxy.Limits.Vias = n }),
	"via_fallback": {typ: WordParam, set: func(c *settings, v Literal) string {
		policy, ok := map[string]proxy.Fallback{
			"verified": proxy.FallbackVerified, "always": proxy.FallbackAlways, "never": proxy.FallbackNever,
		}[v.Text]
		if !ok {
			return "is verified, always or never"
		}
		c.Proxy.ViaFallback = policy
		return ""
	}},
	"via_fallback_peers": textParam(func(c *settings, s string) string {
		nets, bad := networks(s)
		if nets == nil {
			return "is a comma list of addresses and networks; " + clip(bad) + " is none"
		}
		c.Proxy.ViaFallbackPeers = nets
		return ""
	}),

	"server_header": textParam(func(c *settings, s string) string {
		name, value, ok := strings.Cut(s, ":")
		if !ok || !strings.EqualFold(strings.TrimSpace(name), "server") {
			return `is the whole header, as in "Server: My Proxy"`
		}
		for _, r := range value {
			if r < ' ' || r == 0x7f {
				return "must not have a control character"
			}
		}
		c.Proxy.ServerHeader = strings.TrimSpace(value)
		return ""
	}),
	"mhomed":           toggle(func(c *settings, on bool) { c.Proxy.MultiHomed = on }),
	"server_signature": toggle(func(c *settings, on bool) { c.signature = &on }),
	"auto_aliases":     toggle(func(c *settings, on bool) { c.AutoAliases = on }),
	"alias":            nil,
	"socket":           nil,
	"listen":           nil,

	"advertised_address": {typ: WordParam, host: true, set: func(c *settings, v Literal) string {
		host, port, msg := splitHost(v.Text)
		if msg != "" || port != 0 || host == "*" {
			return "is a host name or an address"
		}
		c.advertised.host = host
		return ""
	}},
	"advertised_port": number(1, 65535, "", func(c *settings, n int) { c.advertised.port = uint16(n) }),

	"maxbuffer":       number(1, math.MaxInt32, "bytes", func(c *settings, n int) { c.Engine.DatagramBuffer = n }),
	"max_while_loops": number(1, 1000000, "rounds", func(c *settings, n int) { c.loops = n }),
	"enable_asserts":  toggle(func(c *settings, on bool) { c.asserts = on }),
	"mpath":           {typ: StringParam, set: func(*settings, Literal) string { return "" }, note: "the modules are part of this program, no path is searched"},

	"dns_try_ipv6":          toggle(func(c *settings, on bool) { c.DNS.TryIPv6 = on }),
	"dns_try_naptr":         toggle(func(c *settings, on bool) { c.DNS.NoNAPTR = !on }),
	"dns_retr_time":         number(0, 60, sec, func(c *settings, n int) { c.DNS.Try = time.Duration(n) * time.Second }),
	"dns_retr_no":           number(0, 20, "tries after the first", func(c *settings, n int) { c.DNS.Tries = n + 1 }),
	"dns_servers_no":        number(1, 64, "servers", func(c *settings, n int) { c.DNS.Servers = n }),
	"dns_use_search_list":   toggle(func(c *settings, on bool) { c.DNS.NoSearch = !on }),
	"disable_dns_blacklist": {typ: BoolParam, set: func(c *settings, v Literal) string { return c.deadTargets(v.Int == 1) }},
	"dst_blacklist":         {typ: StringParam, set: func(c *settings, v Literal) string { return c.addBlacklist(v) }},
	"disable_dns_failover":  toggle(func(c *settings, on bool) { c.Proxy.NoFailover = on }),
}

// logLevel is a level: what is above the highest one says no more than it does,
// and is taken as there.
func logLevel(set func(c *settings, l LogLevel)) *globalSpec {
	return number(int64(LevelAlert), 127, "4 says all there is", func(c *settings, n int) { set(c, min(LogLevel(n), LevelDebug)) })
}

// tos checks a type of service: a number or a name of the system's headers.
func tos(_ *settings, v Literal) string {
	switch {
	case v.IsInt && 0 <= v.Int && v.Int <= 255, slices.Contains(tosNames, v.Text):
		return ""
	default:
		return "is 0 to 255 or one of " + strings.Join(tosNames, ", ")
	}
}

var tosNames = []string{"IPTOS_LOWDELAY", "IPTOS_THROUGHPUT", "IPTOS_RELIABILITY", "IPTOS_MINCOST"}

// sourceAllow reads the addresses and networks that have no limits by source.
func sourceAllow(c *settings, s string) string {
	for text := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		p, err := netip.ParsePrefix(text)
		if a, single := netip.ParseAddr(text); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return "is a list of addresses and networks such as 192.0.2.0/24: " + clip(text) + " is none"
		}
		c.Engine.Sources.Allow = append(c.Engine.Sources.Allow, p.Masked())
	}
	return ""
}

func workers(set func(c *settings, n int)) *globalSpec { return number(1, 1024, "workers", set) }

func globalNames() []string {
	names := make([]string, 0, len(globals)+len(idleGlobals))
	for n := range globals {
		names = append(names, n)
	}
	for n := range idleGlobals {
		names = append(names, n)
	}
	return names
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
