// Package dialing finds the connection that serves a send, and opens one where there is
// none: it waits for that within the local budgets, parks what takes longer, leaves
// destinations alone that could not be reached, and probes them.
//
// A Dialer is anybody's: its methods may be called from any goroutine but a loop's, unless
// the sender never waits (Sender). A connection that it makes belongs to the connect queue
// until a loop adopts it.
package dialing
