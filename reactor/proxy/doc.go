// Package proxy is a stateless SIP proxy (RFC 3261 sections 16 and 16.11) on
// package reactor.
//
// A [Proxy] is the engine's Handler. It checks each request, has a [Router]
// decide about it and does what the Router says through the [Context]: respond,
// forward, change headers. Responses find their way back by what our own Via
// says, so that nothing is kept about a transaction or a call.
//
// What answers a request is a response, as RFC 3261 calls it. Reply is the word of OpenSIPS'
// own names alone (t_reply, onreply_route, reply_code).
//
// # What is ours in a message
//
// The branch of our Via is equal for all messages of a transaction (16.11) and
// carries the connection that the request came by, encrypted and sealed under a
// secret. Only a response with such a branch is forwarded, and only if it brings
// the Call-ID, CSeq number, From tag and Via of the request that the branch is of:
// to that connection, and if that is gone, or was another process's with the same
// secret (Config.Key), to the address that the request came from (18.2.2). The
// host in the client's Via is looked up only as Config.ViaFallback says. A request
// that comes back unchanged is answered 482.
//
// The parameter at of our Via is the time of sending, for Config.Observer, which is
// told what next hops make of requests, and how long their answers take.
//
// The connection is part of the branch, so a retransmission has the same branch
// if it comes by the same connection, as it does on a reliable transport. A
// client that reconnects in the middle of a transaction and then sends CANCEL
// starts a new transaction for the next hop, which answers 481; what is still to
// come for its INVITE goes by RFC 3261 18.2.2.
//
// # Where
//
//	what comes in, and what is refused      receive.go, lane.go for what waits for a name; our branch's token: viabranch.go
//	by what address and listener we go      listeners.go, outgoing.go, sources.go; under which name: advertise.go
//	where a request goes next               route.go, strict.go, nexthop.go, resolve.go
//	what is written                         edit.go, headers.go, uri.go, body.go, via.go, recordroute.go, path.go, hide.go
//	how a request is sent                   forward.go; too large for UDP: large.go; its next address: course.go
//	what a fork's branches are              branchset.go, breadth.go; another copy of the request: changes.go
//	where a response goes                   response.go, upstream.go, fallback.go
//	what we answer ourselves                respond.go, maxforwards.go; what was not delivered: undelivered.go
//	what package transaction sends by       stateful.go, way.go, matching.go
//	who is told, and what is counted        observer.go, watch.go, witness.go, counters.go, losses.go
//
// # What the Router need not do
//
// Forward takes off one hop of Max-Forwards, or answers 483; it removes our own
// Routes, follows those of others and copes with strict routers; it notes
// received and rport. A Router that calls MaxForwards and LooseRoute itself gets
// their answers; nothing is done twice. A request whose destinations all failed,
// at once or later, is answered 503, and an ACK never is.
package proxy
