// Package reactor is the engine: it accepts and opens connections, drives TLS
// without blocking, frames SIP messages and hands them to workers, and writes
// what they send.
//
// # Who owns what
//
// A loop owns sockets: on an established connection only
// its loop reads, decrypts, frames, encrypts and writes, without a lock. A
// handshaker owns a connection's TLS machine while one step of its handshake is
// computed; while a private key signs elsewhere, nobody computes. The connect
// queue owns sockets whose connect is under way. A worker owns messages: those of
// a Call-ID go through one shard in order, and before a worker waits, a follower
// takes its shard over. The send queue of a connection takes messages from any
// goroutine; the first one wakes the loop, which seals what is there together
// and writes it with one system call.
//
// What is short need not change hands: a loop may run the Handler itself, and
// steps of handshakes, each for a bounded time (Config.Inline and
// Config.InlineHandshake).
//
// # Ends
//
// Every connection ends through one path, with one of a fixed set of reasons
// and the side to blame. A message that Send took is written, or comes back
// through Handler.Undelivered, exactly once.
package reactor
