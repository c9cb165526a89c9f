// Package loops is an event loop of the engine: what it is told by its poller, how it
// deals with that (package flow, for connections; datagram.go), whom it lets in (accept.go),
// what it refuses and pauses when there is too much (admission.go), and when it serves what
// it was asked for (package scheduler). A Common is what the loops of an engine share.
//
// What is a Loop's belongs to its goroutine, or to who is in its place (package scheduler); Post, Raise and the counters are for anybody.
package loops
