// Package handshakes is what surrounds the handshake of a connection while its
// machine computes one step after the other: the Pool that computes the steps a
// loop has no time for, the Clock of what the peer may take, and the Inbox that
// keeps what the peer says while the machine is away.
//
// A connection's machine has one owner at a time. The loop owns it between steps;
// from Pool.Submit to Job.Computed a goroutine of the pool does. Clock and Inbox
// belong to the loop always.
package handshakes
