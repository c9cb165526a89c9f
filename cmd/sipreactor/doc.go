// Command sipreactor is a SIP proxy for TLS, TCP, UDP and WebSocket that runs an opensips.cfg.
//
//	sipreactor                    try it: a built-in configuration on loopback
//	sipreactor -f opensips.cfg    run a configuration
//	sipreactor -C -f opensips.cfg check it
//	sipreactor -H [MODULE]        what modules offer to a configuration
//	sipreactor demo               a call and a load through the engine, in one process
//
// SIGTERM and SIGINT drain and exit 0; SIGHUP reads the configuration and the TLS
// domains' files again.
//
// # Parameters of proto_tls
//
// They have its documentation's names, units and defaults; proto_tcp has the same as
// tcp_… for tcp: sockets. OpenSIPS 3.6 differs where its code does not keep what its
// documentation says; "there" is what it does.
//
//   - tls_port (5061): port of a TLS socket or destination that names none; tcp_port of proto_tcp and
//     udp_port of proto_udp (5060) likewise
//   - tls_crlf_pingpong (1): CRLFCRLF between messages is answered with CRLF. The answer queues like
//     any write: it blocks nobody and splits no record
//   - tls_crlf_drop (0): a single CRLF between messages is discarded at once. Independent of pingpong,
//     as documented
//   - tls_max_msg_chunks (4): a message may arrive in so many chunks, 0 = any. A chunk is a read that
//     brings fewer than 1,024 bytes of a message and leaves it incomplete; a record under 256 bytes
//     that leaves it so is one of its own. Larger pieces, session tickets, keep-alives and empty
//     wake-ups are none (there they are: quiet clients, and those whose records grow as Go's do, are
//     cut off). The log line names the parameter
//   - cert_check_on_conn_reusage (0): a connection of ours is used again only for the client domain
//     and the certificate it was made with. The leaf certificates are compared, so a reload of the
//     same files keeps connections. Whatever it says, where the client domain has verify_cert a
//     connection of ours carries only what is for the SIP domain that its handshake verified, or
//     another one that the same leaf names, and one that a peer opened only if the peer showed a
//     verified certificate that names the destination: clients without certificates are reached
//     through a client domain with verify_cert 0
//   - tls_handshake_timeout (100 ms): the time the *peer* may take over the whole handshake, inbound
//     too. The path's round-trip time is added for each flight, up to 2 s; our own computing and
//     queueing do not count
//   - tls_send_timeout (100 ms): a peer that takes nothing for so long, with its window closed, loses
//     its connection, in both modes: what it had not acknowledged is given back (next address, or
//     503), and the connection is reset, so that none of that arrives all the same. While segments are
//     under way the path is to blame, not the reader: tcp_user_timeout
//   - tls_async (1): 0: a sender waits for connect, handshake and write and gets the final result
//   - tls_async_max_postponed_chunks (32): so many messages wait for a connect, a handshake or a slow
//     reader, and as many responses, ACKs, CANCELs and requests within dialogs again. One more is
//     refused to its sender at once (503), and the connection lives; only a reader that has stopped
//     for tls_send_timeout loses it, and each message is reported. At most 2 MB of these wait, and
//     4 MB with the responses and requests within dialogs. Responses
//     that a client is owed have room for 4 MB; with 128 kB of them waiting it is not read,
//     until it takes them or half of tls_send_timeout is over. 0: nothing waits (there: a crash)
//   - tls_async_local_connect_timeout (100 ms): how long a sender waits for a connect before that is
//     parked: elapsed time
//   - tls_async_handshake_timeout (10 ms): the same for the handshake (there: under a millisecond of
//     spinning). What is parked costs nothing
//   - trace_destination, trace_on, trace_filter_route (none, 0, none): HEPv3 events of connections to
//     a hep_id; see Tracing. Sending never waits: what finds no room is counted
//     (tls:tls_trace_dropped)
//   - trace_master_key (1): ours: the opening event has the connection's secrets, as lines of a key
//     log. 0 keeps them here. Towards a collector that is neither on this machine nor reached by TLS
//     they are left out, with a warning; who writes 1 for one gets an error at start, until he says it
//     again:
//   - trace_master_key_in_clear (0): ours: 1 sends the secrets to any collector
//
// # Parameters of proto_ws and proto_wss
//
// WebSocket (RFC 6455, 7118): a SIP message a frame or in its fragments, text or binary; pings are
// answered, a close is, and ours tells why (1001 when we go away). Limits, tracing and statistics are
// those of every connection, the certificates of wss those of tls_mgm. Peers without an address of
// their own are reached by their connection; "transport=ws" means a connection of wss, too.
//
//   - ws_port (80), wss_port (443), ws_max_msg_chunks, ws_send_timeout, ws_async…, trace_…: as those of
//     proto_tls
//   - ws_resource ("/"): what a connection of ours asks the server for
//   - ws_handshake_timeout (100 ms): how long a server may take over a handshake that we have begun
//   - ws_accept_timeout (5000 ms): ours: how long a client may take over its whole one, TLS included.
//     Its request may have 8 kB
//   - require_origin (1): refuses clients without an Origin, which are no browsers
//   - allowed_origins (all): ours: the pages whose programs may connect, as a comma list with the
//     patterns of a shell ("https://*.example.com")
//
// # Core parameters
//
// "ours" are those that OpenSIPS has not.
//
//   - shutdown_timeout (10 s): ours: how long draining may take; 0: nothing is waited for. Requests that
//     are under way are waited for, calls are not: those go on from the database of dialog, if it has one
//   - overload_queue_delay (100 ms): ours: where messages would wait for longer, connections that
//     bring more are not read until there is room (TCP slows their peers down), and while that goes
//     on, one in six of their new requests is answered 503 with Retry-After at once, without the
//     script (net:late); dialogs, ACK, CANCEL and responses are not refused. 0: never
//   - tcp_max_connections (2048): accepted connections; one too many is refused, counted and logged
//   - tcp_max_connections_per_source (1024): ours: accepted connections of one source, an IPv4 address
//     or an IPv6 /64. This and the next three: 0 is no limit; what is refused is counted by its cause
//     (net:refused_source_…), traced and logged
//   - tls_max_handshakes_per_source, tls_max_handshake_rate_per_source (256, 500): ours: its
//     handshakes of TLS and WebSocket under way, and those that begin in a second
//   - tcp_max_unfinished_per_source (128): ours: its connections with a half-received message; one
//     more is closed with connection limit
//   - tcp_source_limit_allow (loopback): ours: addresses and networks besides loopback without these
//     limits, as in "192.0.2.0/24, 2001:db8::/32": carriers sit behind one address
//   - tcp_connection_lifetime (120 s): of a connection without a message, ping or write that the peer
//     acknowledged
//   - tcp_user_timeout (5000 ms, 30000 ms): ours: something sent and not acknowledged for so long ends
//     its connection as no acknowledgement, and is given back. The first where we dialled, and the
//     round-trip time is added; the second where we accepted; a value given holds for both. From 1000
//     on
//   - tcp_max_msg_time (4 s): from a message's first byte to its last, and the same for a part of a
//     TLS record or of a message of TLS's own; an idle connection runs no clock
//   - tcp_max_msg_size (65535): bytes of a message; a longer one is answered 400
//   - tcp_connect_timeout (100 ms): a connect, with tls_async=0
//   - tcp_async_connect_timeout (5000 ms): ours: the end of a parked connect
//   - tcp_backoff (30 s): ours, for UDP as well (there ICMP tells it): a destination (local socket,
//     address, protocol, client domain) that could not be reached is left alone, for 1 s at first,
//     twice as long after each probe of ours that fails, up to this (less up to a quarter, by chance);
//     0: each message tries. Its messages get the next address or 503 at once. A refused certificate counts for its SIP domain only, what
//     this machine lacks and the end of an established connection do not count, a connection that is
//     there is used all the same. While messages ask and no other address of the destination is up,
//     probes are at most 2 s apart
//   - tcp_accept_aliases (0): 1: a Via with alias (RFC 5923), 2: any Via lets its connection carry
//     requests to that port; only for the address it comes from. Of several connections from there the
//     newest holds the port; the one before is sent a CRLF and ends if its TCP does not take it. Where
//     the holder has shown a verified certificate, only a peer whose own names the same SIP domain
//     follows
//   - tcp_socket_backlog, tcp_keepalive, tcp_keepidle, tcp_keepinterval, tcp_keepcount (system's): as
//     named
//   - state_dir (see right): ours: the folder (0700) of secrets that are made at the first start.
//     $STATE_DIRECTORY of systemd, /var/lib/sipreactor for root, ~/.local/state/sipreactor (or under
//     $XDG_STATE_HOME) for others
//   - max_headers, max_vias (256, 100): headers and Via values of a message; more are answered 400. A
//     request that grows over tcp_max_msg_size by what we add is answered 513
//   - branch_secret_file (none): a file with 32 bytes of text or more (mode 0600 or 0640) by which
//     responses are known for ours. Nodes that have the same one, and each later life of the program,
//     send a response on by its Via; without it the secret is in state_dir. A response whose branch
//     does not verify, or that does not belong to the branch's request (Call-ID, CSeq, tags, Via), is
//     dropped and counted (responses_foreign, responses_mismatched)
//   - via_fallback, via_fallback_peers (verified, none): where a response goes whose connection is
//     gone: to the address its request came from, with the port in Via. A name (or maddr) that the
//     client wrote there is tried only for a client with a verified certificate or at a listed address
//     or network ("192.0.2.0/24, 2001:db8::7"); always and never too
//   - mhomed (0): 1: with sockets in several networks a request leaves from the one on the route to
//     its next hop (the kernel's answer, kept for 5 s); Via names it, and Record-Route both sides.
//     What $socket_out or a pair of Record-Routes chose comes first
//   - maxbuffer (262144): bytes that the receive buffers of UDP grow to, as far as net.core.rmem_max
//     allows; what is dropped there counts in net:dropped_udp
//   - dns_try_naptr (1): names lead by NAPTR, SRV and A (RFC 3263) to targets. What a destination says
//     neither a port nor a transport of, NAPTR says, then SRV of every transport that we listen on, UDP
//     first. SRV weights are drawn from the transaction, so a retransmission meets its server again
//   - dns_try_ipv6 (0): 1: IPv6 addresses are tried behind the IPv4 ones. Where no listener could send
//     to IPv4 they are asked for anyway
//   - dns_retr_time, dns_retr_no, dns_servers_no, dns_use_search_list (as resolv.conf says): how long a
//     name server may take, how often it is asked again, how many are asked, and whether its search
//     list counts. All tries together take 3 s, or what the first two say, at most 30. Answers are kept
//     as long as they say (1 s to an hour), that there is none for a minute at most; what cannot be
//     renewed serves on for an hour. /etc/hosts comes first; both files are read again when they change
//   - disable_dns_failover (0): 1: only the first target of a name is tried
//   - disable_dns_blacklist (1): 0: a target that failed where there was another to go on to is in the
//     blacklist dns for four minutes (tcp_backoff is there all the same)
//   - dst_blacklist (none): id[/flags][: rules] keeps requests from addresses, ports and transports, and
//     by patterns; a message uses what is default and what use_blacklist() adds
//   - max_limit (maxfwd) (256): the highest Max-Forwards that a request leaves with
//   - add_username (rr) (0): 1: Record-Route has the user of the Request-URI
//   - stderror_level_filter (0): nothing above this level is logged, whatever log_level says; 0 no
//     filter
//   - socket_buf_size (mi_datagram) (system's): bytes of the socket's buffers
//   - tcp_workers, udp_workers (cores): shards of messages by Call-ID, the larger of the two, for all
//     transports; a wait in one message does not hold up the others
//   - tcp_loops (half the cores): event loops: each accepts, reads, decrypts and writes its
//     connections on one core. While the first of them has time for all of it, it does the
//     work of the others: there are no more wake-ups than with one. A connection that lands on a loop with an eighth more of them than
//     another has is moved when it is accepted. With as many loops as cores or more the program
//     runs on one thread more than it has loops, unless GOMAXPROCS says how many
//
// # What TCP tells, and what it does not
//
// What a connection wrote is kept until the peer's TCP has acknowledged it: what was not goes to the
// next address, or is answered 503, when the connection dies. What was acknowledged and is never
// answered, because the peer's program hangs or dies with the message unread, nothing in TCP tells,
// and a stateless script does not know which request is owed what: only transactions can repeat it,
// try another destination or time it out; with a stateless script the client's own timer F or B does.
// The requests without a final response are counted: net:unanswered, net:never_answered, for each
// connection in mi list_tcp_conns and on the page.
//
// A peer that says FIN or close_notify behind its requests still gets their responses: its connection
// takes nothing else, is used for no other message, and ends with the last response, or after 32 s.
// Responses are counted, not matched: a 200 that is repeated counts for another request of that
// connection. net:half_closed counts such connections.
//
// # Tracing
//
//	loadmodule "proto_hep.so"
//	loadmodule "tracer.so"
//	modparam("proto_hep", "hep_id", "[homer]127.0.0.1:9060;transport=tcp")   # or udp, tls
//
//	modparam("proto_tls", "trace_destination", "homer")     # connections: ACCEPTED, CONNECTED, ERROR, CLOSED
//	modparam("proto_tls", "trace_on", 1)
//	modparam("tracer", "trace_id", "[tid]uri=hep:homer")    # messages: trace("tid") in the script
//
//	route {
//		trace("tid");
//		route(relay);
//	}
//	onreply_route {
//		trace("tid");
//	}
//
// What that tells:
//
//   - An opening that failed is told with its cause and the certificates that were seen. All packets
//     of a connection have its id as correlation id, and so has each message the id of the connection
//     that carries it, unless trace() gives it another.
//   - trace("tid") takes the message as it came, and all that is sent because of it from there on ("m";
//     in the onreply_route, the response), of its transaction ("t"), or of its call ("d"). Without a
//     scope it is the call where module dialog is loaded, else the transaction where tm is.
//   - sipreactor mi tracer:start id=x uri=hep:10.0.0.1:9060 filter=caller=alice filter=ip=192.0.2.9
//     (trace_start in OpenSIPS 3) traces from now on, without a word in the script, the requests that
//     all filters hold for (caller, callee: user or user@host of From and To; ip: the source), what is
//     sent because of them and the responses (scope=m: no responses); tracer:stop x ends it. uri may name
//     a hep_id, and take ;transport=udp, tcp (default) or tls. At most 16 at a time; none outlives the
//     program.
//   - The opening event has the connection's secrets, with which a capture decrypts (tls.keylog_file),
//     so a collector that is neither on this machine nor reached by TLS gets none, see
//     trace_master_key. crypto/tls tells none of a connection that is resumed with TLS 1.2.
//   - A collector that is dead, slow or comes and goes costs traffic nothing: packets wait in a
//     bounded queue or are dropped and counted. One by TLS must have a certificate that the system's
//     authorities vouch for.
//
// # TLS that fails
//
//   - Why did it fail? The log has a line for each connection that ended not in order, with the reason
//     in words and whose fault it is: reason="handshake failed: no common version: client offered only
//     unsupported versions: [302 301]" blame=peer. The first failure of each peer and reason is always
//     told; of more alike there is a line once in a while, with the number of the others in more, and
//     what is left follows within ten seconds. 2,048 peers are told apart at a time in each
//     direction.
//
//   - What happened before? log_level=4, or sipreactor mi log_level 4 while it runs, adds each event
//     of a connection and each step of its handshake, with what was negotiated (version, cipher, SNI,
//     resumption, the peer's certificate).
//
//   - What was said? Log the secrets of the connections, capture, and let tshark decrypt (Wireshark
//     has the same settings).
//
// The commands for that:
//
//	SSLKEYLOGFILE=keys.log ./sipreactor -f opensips.cfg     # or modparam("tls_mgm", "ssl_keylog_file", "/root/keys.log")
//	tshark -i any -f 'tcp port 5061' -w edge.pcap           # meanwhile, from before the connection on
//	tshark -r edge.pcap -o tls.keylog_file:keys.log -Y sip -O sip
//	tshark -r edge.pcap -Y 'tls.handshake || tls.alert_message'    # the part that needs no key
//
// On another port than 5061, say 5062, tshark must be told: -d tcp.port==5062,tls -d
// tls.port==5062,sip. Whoever has the key log reads the traffic: it is off by default, warned of at
// the start, and nobody else's: made with mode 0600, appended to when it is ours alone, put aside as
// .old and made anew when others could read it; a link is not followed, and what is no key log not
// touched. No handshake waits for it: what a slow or full disk does not take is left out, counted and
// told once. modparam("tls_mgm", "ssl_keylog_filter", "192.0.2.7, 198.51.100.0/24") keeps it to the
// peers in question.
//
// # TLS libraries
//
// There loadmodule "tls_openssl.so" chooses libssl. modparam("tls_mgm", "tls_library", "…") says it
// outright: go, openssl, or libcrypto, which is crypto/tls whose private keys sign in OpenSSL. Full
// handshakes with RSA-2048 cost either less than half the CPU; for the rest crypto/tls is cheaper than
// libssl (figures (bench/figures/machines.md)). Domains, verification, tickets and the key log are the
// same: one suite, tlsstate/conformance, holds all of them to it.
//
// A server's certificate with an RSA-PSS or Ed448 key is beyond crypto/tls, with verify_cert 0 too:
// libssl takes it. crypto/tls also refuses a ClientHello whose server name ends in a dot, which libssl
// takes; to either an address in its place is no name.
//
// With crl_dir a peer passes only by a list (RFC 5280) of its issuer that is in force and tells of it.
// A file that is no list or has expired is an error at start and reload; a list that must not be used
// is named in a warning, and in the refusal of peers that have no other: delta and indirect lists,
// those of attribute certificates or of some reasons only, with a critical extension that is not
// known, from the future, of the wrong scope or distribution point. A certificate without a SAN is
// known by its common name, but not under an authority with name constraints for hosts.
package main
