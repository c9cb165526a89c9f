// Package handshakes is the handshake of a connection as a value (Handshake), while its
// machine computes one step after the other: who has the machine, the Clock of what the
// peer may take, the Inbox that keeps what the peer says while the machine is away; and the
// Pool that computes the steps a loop has no time for.
//
// A connection's machine has one owner at a time. The loop owns it between steps; from
// Handshake.Leave to Return whoever computes the step does: the loop itself, or from
// Pool.Submit to Job.Computed a goroutine of the pool. The rest belongs to the loop always.
package handshakes
