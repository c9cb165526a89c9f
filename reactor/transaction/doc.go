// Package transaction is SIP's transactions (RFC 3261 17, RFC 6026) and what a stateful proxy makes of them (16.7): pure
// machines, and the Layer that drives them on package proxy.
//
// # The machines
//
// They have no socket, no clock and no message: events come in (a response, a repeated request, a CANCEL, a timer, a
// delivery that failed), and calls of a User go out (send the request, relay the response at hand, answer).
//
// A Machine is one of the four state machines. Each is a table, drawn where it stands (tables.go): a row for a state, a
// cell for an event. A Branch is a client transaction with that of its CANCEL. A Transaction is the server transaction,
// up to MaxBranches branches and the response context between them: which response goes upstream, who is canceled, when
// the user is asked what a failure leads to. A Wheel has the timers of all transactions of a shard.
//
// # The Layer
//
// A Layer stands beside a Proxy. Its Router makes a transaction of a request by Relay, Respond or Begin:
// an Exchange, which is the User of its Transaction and has the messages. The request's bytes are kept once, as they
// came, with the Router's changes beside them: each branch, and each later try of one, is written from these. A branch
// that we write names, sealed, the Exchange that it is of, so that a response finds it without a search; requests find
// it by a keyed hash of what RFC 3261 17.2.3 matches.
//
// An Exchange has a holder, one goroutine at a time: that which handles the request until its script is done, then
// whoever brings an event. What comes meanwhile waits in its queue, which is bounded, and the holder works that off
// before it lets go. So a script may wait in the middle of a transaction: nothing that belongs to it overtakes, and
// nobody else is held up. The timers of a shard are looked at by one goroutine for all and go off on the shard's workers.
//
// # Where
//
//	what a state does with an event         tables.go; the machines and their times: machine.go
//	which response is the answer            answer.go
//	who is canceled when                    answer.go (by an answer), cancel.go (by who asks), ends.go; a CANCEL's own
//	                                        transaction: branch.go
//	what a 503, a timeout or a lost         answer.go (unserved), failover.go: the next address, then the failure_route
//	request of a branch leads to
//	what is sent upstream, downstream       upstream.go, downstream.go; ACK and CANCEL as bytes: wire.go
//	which transaction a message is of       matching.go, table.go
//	how a request is sent on, forked        relay.go, breadth.go; later branches: inject.go, wait.go
//	requests of our own                     origin.go, replicate.go
//	who may touch an Exchange when          holder.go
//	what is kept, and until when            exchange.go, over.go, remnant.go, pool.go
//	when timers go off                      wheel.go, ticker.go
//	who is told what                        listener.go, counters.go
//
// # Where it is not the letter of RFC 3261
//
// The times have the names and defaults of OpenSIPS' tm module: fr_timeout in the place of timers B and F, fr_inv_timeout
// in that of C, wt_timer in that of J. They never go off early. When fr_inv_timeout is over, the CANCEL goes out and the
// branch counts as 408 at once; what still comes is acknowledged, and a 2xx passed on. Behind an fr_timeout that is shorter
// than timer B, until that is over, who rings is canceled and who fails acknowledged, also an address that was given up
// for the next one. A 6xx does not wait for the
// branches that it cancels. A request that is no INVITE and is not answered downstream is not answered upstream (RFC
// 4320), unless the user does. The answer comes from the last fork, since whoever forks again after a failure has
// dealt with that. A response without a transaction goes on by its Via for 64*T1: it belongs to another node's, or to an
// earlier life of the process. A request that came by another way before is answered 482 (8.2.2.2) only if its
// Request-URI is the same, too, as a proxy upstream may fork to several users of ours, and unless that one was refused:
// who is may try another way to us.
//
// # What stays
//
// Once a request has its final response and nothing is left to do but to know repetitions, a remnant takes the place of
// its Exchange: for an INVITE with a 2xx for 64*T1, for another request over UDP for wt_timer. It has 112 bytes, with what
// finds it less than 200, and the Exchange is used again while it is in the processor's caches. What modules keep with it,
// and their listeners, are the remnant's.
//
// # Goroutines and memory
//
// A transaction and its branches belong to their holder: they have no lock. User is called from within the calls of the
// transaction, and may call it from there. Timers live in what they are for, and what a transaction consists of comes
// from pools, so nothing is allocated in the steady state.
package transaction
