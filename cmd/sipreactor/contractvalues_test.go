package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// wrongValues are, for a parameter, a value of the wrong type and those just
// out of its range, with what the message says is allowed.
type wrongValues struct {
	module, name string // no module: a core parameter
	values       []string
	allowed      string
}

// contractParameters are those of the transport contract.
func contractParameters() (rows []wrongValues) {
	add := func(module, name, allowed string, values ...string) {
		rows = append(rows, wrongValues{module, name, values, allowed})
	}
	const flag = "0 or 1 (yes or no)"
	for _, p := range transports {
		module := "proto_" + p
		add(module, p+"_crlf_pingpong", flag, `"on"`, "2", "-1")
		add(module, p+"_crlf_drop", flag, `"1"`, "2")
		add(module, p+"_max_msg_chunks", "a number from 0 on (chunks, 0 = no limit)", `"4"`, "-1")
		add(module, p+"_send_timeout", "a number from 1 to 60000 (milliseconds)", `"100ms"`, "0", "60001")
		add(module, p+"_async", flag, `"no"`, "2")
		add(module, p+"_async_max_postponed_chunks", "a number from 0 to 1048576 (messages, 0 = none may wait)", `"32"`, "-1", "1048577")
		add(module, p+"_async_local_connect_timeout", "a number from 0 to 60000 (milliseconds)", `""`, "-1", "60001")
		add(module, "trace_on", flag, `"on"`, "2")
		add(module, "trace_destination", "a string in quotes", "5")
		add(module, "trace_destination", "hep_id", `"nowhere"`)
		add(module, "trace_filter_route", "a string in quotes", "5")
	}
	add("proto_tls", "tls_port", "a number from 1 to 65535", `"5061"`, "0", "65536")
	add("proto_tls", "tls_handshake_timeout", "a number from 1 to 60000 (milliseconds)", `"0.1"`, "0", "60001")
	add("proto_tls", "tls_async_handshake_timeout", "a number from 0 to 60000 (milliseconds)", `"ten"`, "-1", "60001")
	add("proto_tls", "cert_check_on_conn_reusage", flag, `"[edge]1"`, "2")

	add("", "shutdown_timeout", "a number from 0 to 3600 (seconds)", `"10s"`, "-1", "3601")
	add("", "overload_queue_delay", "a number from 0 to 60000 (milliseconds)", `"x"`, "-1", "60001")
	add("", "tcp_max_connections_per_source", "a number from 0 on (accepted connections, 0 = no limit)", `"x"`, "-1")
	add("", "tls_max_handshakes_per_source", "a number from 0 on (handshakes under way, 0 = no limit)", `"x"`, "-1")
	add("", "tls_max_handshake_rate_per_source", "a number from 0 on (handshakes a second, 0 = no limit)", `"x"`, "-1")
	add("", "tcp_max_unfinished_per_source", "a number from 0 on (incomplete messages, 0 = no limit)", `"x"`, "-1")
	add("", "tcp_source_limit_allow", "a string in quotes", "5")
	add("", "tcp_max_connections", "a number from 1 on (accepted connections)", `"2048"`, "0")
	add("", "tcp_connection_lifetime", "a number from 1 on (seconds)", `"2m"`, "0")
	add("", "tcp_max_msg_time", "a number from 1 to 3600 (seconds)", `"4"`, "0", "3601")
	add("", "tcp_max_msg_size", "a number from 1024 to 65535 (bytes)", `"64k"`, "1023", "65536")
	add("", "tcp_connect_timeout", "a number from 1 to 60000 (milliseconds)", `"x"`, "0", "60001")
	add("", "tcp_backoff", "a number from 0 to 3600 (seconds, 0 off)", `"x"`, "-1", "3601")
	add("", "tcp_async_connect_timeout", "a number from 1 to 60000 (milliseconds)", `"x"`, "0", "60001")
	add("", "tcp_user_timeout", "a number from 1000 to 3600000 (milliseconds)", `"5s"`, "999", "3600001")
	add("", "tcp_socket_backlog", "a number from 1 to 65535 (connections)", `"10"`, "0", "65536")
	add("", "tcp_keepalive", flag, `"1"`, "2")
	add("", "tcp_keepcount", "a number from 0 to 127 (probes)", `"9"`, "-1", "128")
	add("", "tcp_keepidle", "a number from 0 to 32767 (seconds)", `"60"`, "-1", "32768")
	add("", "tcp_keepinterval", "a number from 0 to 32767 (seconds)", `"60"`, "-1", "32768")
	add("", "tcp_accept_aliases", "a number from 0 to 2 (0 never, 1 RFC 5923, 2 always)", `"always"`, "-1", "3")
	add("", "tcp_no_new_conn_bflag", "a name or a string", "5")
	add("", "tcp_no_new_conn_rplflag", "a name or a string", "5")
	add("", "tcp_workers", "a number from 1 to 1024 (workers)", `"8"`, "0", "1025")
	add("", "tcp_loops", "a number from 1 to 256 (event loops)", `"8"`, "0", "257")
	add("", "open_files_limit", "a number from 16 on (descriptors)", `"max"`, "15")
	return rows
}

// Nothing starts with a value that a parameter does not take, and the message
// says where it stands and what it could be.
func TestContractWrongValues(t *testing.T) {
	tlsPort, tcpPort := freePort(t), freePort(t)
	head := fmt.Sprintf("socket=tls:127.0.0.1:%s\nsocket=tcp:127.0.0.1:%s\n", tlsPort, tcpPort) +
		"loadmodule \"proto_tls.so\"\nloadmodule \"proto_tcp.so\"\n"
	for _, row := range contractParameters() {
		for _, value := range row.values {
			line := row.name + " = "
			if row.module != "" {
				line = fmt.Sprintf("modparam(%q, %q, ", row.module, row.name)
			}
			col := len(line) + 1
			line += value
			if row.module != "" {
				line += ")"
			}
			t.Run(row.module+" "+row.name+"="+value, func(t *testing.T) {
				path := config(t, head+line+"\nroute { exit; }\n")
				place := fmt.Sprintf("%s:5:%d: ", path, col)
				code, out, errs := command(t, "-f", path)
				if code != exitFailed || out != "" {
					t.Errorf("exit code %d, output %q", code, out)
				}
				if !strings.HasPrefix(errs, place+row.name+" ") || !strings.Contains(errs, row.allowed) {
					t.Errorf("got  %swant %s%s ... %s", errs, place, row.name, row.allowed)
				}
				if strings.Count(errs, "\n") != 1 {
					t.Errorf("more than one line:\n%s", errs)
				}
				for _, port := range []string{tlsPort, tcpPort} {
					if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
						c.Close()
						t.Errorf("port %s is open", port)
					}
				}
			})
		}
	}
}

// Every parameter of the contract's table is in the one above, once for its
// name.
func TestContractIsWhole(t *testing.T) {
	known := map[string]bool{}
	for _, row := range contractParameters() {
		known[row.name] = true
	}
	for name := range strings.FieldsSeq(`tls_port tls_crlf_pingpong tls_crlf_drop tls_max_msg_chunks
		cert_check_on_conn_reusage trace_destination trace_on trace_filter_route tls_handshake_timeout
		tls_send_timeout tls_async tls_async_max_postponed_chunks tls_async_local_connect_timeout
		tls_async_handshake_timeout
		shutdown_timeout overload_queue_delay tcp_max_connections tcp_connection_lifetime tcp_max_msg_time tcp_max_msg_size tcp_connect_timeout
		tcp_backoff tcp_async_connect_timeout tcp_user_timeout tcp_socket_backlog tcp_keepalive tcp_keepcount tcp_keepidle tcp_keepinterval
		tcp_accept_aliases tcp_no_new_conn_bflag tcp_no_new_conn_rplflag tcp_workers tcp_loops open_files_limit`) {
		if !known[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}
