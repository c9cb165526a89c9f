package script

// idleGlobals are those that OpenSIPS needs and this engine does not.
var idleGlobals = map[string]*globalSpec{
	"log_facility":           idle(WordParam, "the log goes to standard error; whoever collects it names the facility"),
	"syslog_facility":        idle(WordParam, "the log goes to standard error; whoever collects it names the facility"),
	"stderror_log_format":    idle(WordParam, "the log has one format, log/slog's"),
	"syslog_log_format":      idle(WordParam, "the log has one format, log/slog's"),
	"log_json_buf_size":      idle(IntParam, "log lines have no fixed buffer"),
	"log_msg_buf_size":       idle(IntParam, "log lines have no fixed buffer"),
	"log_stdout":             idle(BoolParam, "nothing is written to standard output but what the command line asks for"),
	"syslog_level_filter":    idle(IntParam, "the log goes to standard error; see stderror_level_filter"),
	"log_event_enabled":      idle(BoolParam, "log lines are not raised as events"),
	"log_event_level_filter": idle(IntParam, "log lines are not raised as events"),
	"xlog_buf_size":          idle(IntParam, "log lines have no fixed buffer"),
	"xlog_force_color":       idle(BoolParam, "the log has no colours"),
	"pv_print_buf_size":      idle(IntParam, "strings have no fixed buffer; one is at most 65535 bytes"),

	"children":                     idle(IntParam, "there are no processes; see tcp_workers"),
	"timer_workers":                idle(IntParam, "timers need no workers of their own"),
	"fork":                         idle(BoolParam, "the program stays in the foreground; whoever starts it puts it behind"),
	"user":                         idle(WordParam, "start the program as the user it is to be"),
	"group":                        idle(WordParam, "start the program as the group it is to be"),
	"chroot":                       idle(WordParam, "start the program in its root directory"),
	"workdir":                      idle(WordParam, "start the program in its working directory"),
	"wdir":                         idle(WordParam, "start the program in its working directory"),
	"disable_core_dump":            idle(BoolParam, "what becomes of a core is the system's setting (ulimit -c)"),
	"abort_on_assert":              idle(BoolParam, "a wrong assertion ends the script for its message, never the program"),
	"poll_method":                  idle(WordParam, "the event loops use epoll"),
	"tcp_threads":                  idle(IntParam, "there is an event loop for each processor (GOMAXPROCS)"),
	"tcp_parallel_read_on_workers": idle(BoolParam, "one loop reads a connection, all workers handle its messages"),
	"auto_scaling_cycle":           idle(IntParam, "workers are goroutines that cost nothing when idle, so there is nothing to scale"),
	"auto_scaling_profile":         idle(WordParam, "workers are goroutines that cost nothing when idle, so there is nothing to scale"),

	"shm_hash_split_percentage":      idle(IntParam, noShm),
	"shm_secondary_hash_size":        idle(IntParam, noShm),
	"shm_memlog_size":                idle(IntParam, noShm),
	"mem_warming":                    idle(BoolParam, noShm),
	"mem_warming_enabled":            idle(BoolParam, noShm),
	"mem_warming_percentage":         idle(IntParam, noShm),
	"mem_warming_pattern_file":       idle(StringParam, noShm),
	"memlog":                         idle(IntParam, noShm),
	"mem_log":                        idle(IntParam, noShm),
	"memdump":                        idle(IntParam, noShm),
	"mem_dump":                       idle(IntParam, noShm),
	"mem-group":                      idle(StringParam, noShm),
	"rpm_mem_file":                   idle(StringParam, noShm),
	"rpm_mem_size":                   idle(IntParam, noShm),
	"restart_persistency_cache_file": idle(StringParam, noShm),
	"restart_persistency_size":       idle(IntParam, noShm),
	"event_shm_threshold":            idle(IntParam, noShm),
	"event_pkg_threshold":            idle(IntParam, noShm),

	"exec_msg_threshold": idle(IntParam, noThreshold),
	"execmsgthreshold":   idle(IntParam, noThreshold),
	"exec_dns_threshold": idle(IntParam, noThreshold),
	"execdnsthreshold":   idle(IntParam, noThreshold),
	"tcp_threshold":      idle(IntParam, noThreshold),
	"tcpthreshold":       idle(IntParam, noThreshold),

	"mcast_loopback": idle(BoolParam, "there is no multicast"),
	"mcast_ttl":      idle(IntParam, "there is no multicast"),
	"tos":            {typ: AnyParam, set: tos, note: "the type of service of packets is left to the system"},

	"dns":                     idle(BoolParam, "received= has the address, never a name"),
	"rev_dns":                 idle(BoolParam, "addresses are not looked up for their names"),
	"disable_stateless_fwd":   idle(BoolParam, "a response whose Via branch we made is forwarded, any other is dropped"),
	"check_via":               idle(BoolParam, "a response is ours by the keyed hash in its Via branch, not by the address"),
	"sip_warning":             idle(BoolParam, "responses carry no Warning header"),
	"user_agent_header":       idle(StringParam, "requests that begin here carry no User-Agent"),
	"disable_503_translation": idle(BoolParam, "a 503 goes on as it is without a transaction, and as RFC 3261 16.7 says with one"),
	"disable_tcp":             idle(BoolParam, "a protocol is used when a socket has it"),
	"disable_tls":             idle(BoolParam, "a protocol is used when a socket has it"),
	"query_buffer_size":       idle(IntParam, "rows that belong together are written at once"),
	"query_flush_time":        idle(IntParam, "rows that belong together are written at once"),
}

const (
	noShm       = "there is no shared memory; Go's garbage collector is tuned by GOGC and GOMEMLIMIT"
	noProxying  = "the PROXY protocol is not supported in this version"
	noThreshold = "slow steps show in the statistics, not as log lines"
)

// refusedGlobals change what the proxy does, and not having them would go
// unnoticed.
var refusedGlobals = map[string]string{
	"proxy_protocol":        noProxying,
	"allow_proxy_protocol":  noProxying,
	"send_proxy_protocol":   noProxying,
	"port":                  "the port belongs to the socket: socket=tls:host:port",
	"tls_port_no":           `it is modparam("proto_tls", "tls_port", 5061)`,
	"tcp_crlf_pingpong":     `it is modparam("proto_tcp", "tcp_crlf_pingpong", 1)`,
	"tcp_send_timeout":      `it is modparam("proto_tcp", "tcp_send_timeout", 100)`,
	"tls_handshake_timeout": `it is modparam("proto_tls", "tls_handshake_timeout", 100)`,
	"tls_send_timeout":      `it is modparam("proto_tls", "tls_send_timeout", 100)`,
}
