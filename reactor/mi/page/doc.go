// Package page is the status page of a running program, for the operator who
// has thirty seconds: what wants attention, rates, connections, closes by
// reason, certificates, slow peers, recent errors, and each connection by
// itself.
//
// The page is plain HTML, CSS and JavaScript, embedded, and speaks to the
// management interface on its own listener: [Mount] serves it, [Commands] are
// what it needs beyond the commands of package mi. It loads nothing from another
// host, and its content security policy forbids it to.
//
// # The recorder
//
// A [Recorder] is an engine's Observer. It keeps what the engine itself forgets:
// the events of each connection, recent errors, the slowest handshakes, and a
// few minutes of counters for the graphs. Loops hand it events through a bounded
// queue and never wait; what finds no room is counted. It sees events of
// connections, never messages. All that it holds is bounded; see its constants.
//
// # Access
//
// The page itself is no secret and is shown to whoever may speak to the listener
// by address. What it shows comes by commands, under the rules of package mi:
// when a token is configured, the page asks for it.
//
// # Cost
//
// Connections are counted at most twice a second, however many look, and less
// often when there are so many of them that it takes long.
package page
