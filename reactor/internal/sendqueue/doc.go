// Package sendqueue is what a connection has to write, from the moment a message is
// given to it until the peer's TCP has acknowledged it: messages that wait (Queue),
// the batch that is being written (its flight), and copies of what was written and
// is not known to have arrived (Unacknowledged).
//
// A connection's lock guards what waits, so that any goroutine may add to it; the
// flight and what is unacknowledged belong to the connection's loop. Nothing here
// makes a system call or knows a connection.
package sendqueue
