// Package connectqueue has the sockets that no loop has. It owns those whose
// connect is under way, each for a limited time, and those of ended connections
// that linger until the peer has the rest. Besides it watches established sockets
// for their loops, which are told of readability only: for room to write, and for a
// reset.
//
// What is here costs nothing while nothing happens: one epoll set with one
// goroutine (watch.Set) for all. Methods may be called from any goroutine; what the queue
// tells a connection it tells on its own goroutine, on a timer's, or on that of the
// caller.
//
// The queue's lock is held while a lingering socket's rest is given back, and while
// Conn.Fd and Conn.Closes are asked; never while a connection is told anything else.
package connectqueue
