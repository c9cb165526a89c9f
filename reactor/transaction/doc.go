// Package transaction is SIP's transactions (RFC 3261 17, RFC 6026) and what a stateful proxy makes of them (16.7),
// without a socket, a clock or a message: events come in (a response, a repeated request, a CANCEL, a timer, a delivery
// that failed), and calls of a User go out (send the request, relay the response at hand, answer).
//
// # The pieces
//
// A Machine is one of the four state machines. Each is a table, drawn where it stands (tables.go): a row for a state, a
// cell for an event. A Branch is a client transaction with that of its CANCEL. A Transaction is the server transaction,
// up to MaxBranches branches and the response context between them: which response goes upstream, who is canceled, when
// the user is asked what a failure leads to. A Wheel has the timers of all transactions of a shard.
//
// # Where it is not the letter of RFC 3261
//
// The times have the names and defaults of OpenSIPS' tm module: fr_timeout in the place of timers B and F, fr_inv_timeout
// in that of C, wt_timer in that of J. They never go off early. When fr_inv_timeout is over, the CANCEL goes out and the
// branch counts as 408 at once; what still comes is acknowledged, and a 2xx passed on. A 6xx does not wait for the
// branches that it cancels. A request that is no INVITE and is not answered downstream is not answered upstream (RFC
// 4320), unless the user does. The answer comes from the last fork, since whoever forks again after a failure has
// dealt with that.
//
// # Goroutines and memory
//
// A transaction, its branches and the wheel belong to one goroutine at a time, that of a shard: there is no lock. User is
// called from within the calls of the transaction, and may call it from there. Timers live in what they are for, so
// nothing is allocated but the Transaction and its Branches, whose memory is the user's to use again after User.Gone.
package transaction
