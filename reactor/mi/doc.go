// Package mi is the management interface: commands in JSON-RPC 2.0 under the
// names that OpenSIPS gives them, with the replies that it gives, and the same
// figures for Prometheus.
//
// An rpc.Dispatcher holds the commands and carries out requests. The transports
// bring it requests: [FIFO] (mi_fifo), [HTTP] (mi_http on httpd) and [Datagram]
// (mi_datagram, on a UNIX socket or UDP). A [Client] speaks to any of them.
//
// # Wiring
//
// A [Node] names what the commands act on: an engine, a proxy, the TLS domains,
// log levels. Node.Commands goes into a Dispatcher, [Metrics] into an HTTP.
// Statistics that OpenSIPS has stand under its names (core:, net:waiting_tls,
// sl:), ours in net:, tls:, close: and proxy:; a [Source] adds more. For
// Prometheus they are metrics with labels, whose values are of fixed sets;
// [NamedMetrics] gives statistics under OpenSIPS' names besides.
//
// The status page is package page: it is mounted on an HTTP.
//
// # Access
//
// Whoever can send a request can end the program. The FIFO and the UNIX socket
// belong to their owner alone. HTTP and UDP serve loopback; on another address
// they want a list of networks that may speak, and HTTP a token or TLS as well.
// A web page that runs in the operator's browser cannot speak to us either: the
// Origin and the Host of a request are checked, and what a browser sends must be
// JSON by name.
//
// # Where
//
//	which commands there are    node.go; their answers: connections.go, peers.go, backoff.go, destinations.go, blacklists.go,
//	                            tlsdomains.go, tracestart.go, reports.go, statistics.go
//	statistics                  figures.go; what the engine counts is in reactor.Figures, and needs nothing here
//	metrics                     metrics.go, enginemetrics.go, statmetrics.go, census.go
//	where a request ends        cutter.go (FIFO), document.go (JSON)
//	who is let in               access.go; how many at once: accept.go, places.go
//
// # Bounds
//
// Nobody who sends slowly, reads nothing or dies holds up anyone else: every
// wait has a deadline, and every transport a bound on what it serves at once.
package mi
