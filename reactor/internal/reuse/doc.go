// Package reuse decides whether a connection that is there serves a send, by who was
// verified: who verified what is part of every decision. It knows no connection, only
// what is known of the peer at its other end.
//
// # Who owns what
//
// A Want belongs to the send that asks. A Proof is a part of its connection, whose
// lock guards it; its Self and Meant do not change once the connection can be found,
// so SameSelf needs no lock.
package reuse
