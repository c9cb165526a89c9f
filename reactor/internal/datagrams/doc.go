// Package datagrams is what stands between the engine and its sockets of UDP: who
// sent a datagram, several that leave by one system call, and the end of sending.
//
// # Who owns what
//
// A loop owns its Sources and its Burst: no lock. A shard has a Gate, through which its
// workers send from any goroutine; the lock that keeps the sockets open meanwhile is
// that of one shard, so that no two cores share it. Shut comes before the sockets close.
//
// What cannot be sent comes back to the caller at once (Gate) or through Owner.Lost
// (Burst), never both. Nothing waits here: a datagram is with the kernel or it is an
// error.
package datagrams
