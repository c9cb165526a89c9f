// Package names finds where messages to a SIP host go: RFC 3263 over the DNS of
// the system.
//
// # From a name to targets
//
// A [Query] is what a next hop says: a host, and of transport and port what its
// URI has. [DNS] answers it with an [Answer], the targets by preference:
//
//	port said                   A and AAAA of the host
//	transport said              SRV of that transport, else A and AAAA
//	neither                     NAPTR, then SRV of what it leads to (RFC 3263 4.1);
//	                            without NAPTR SRV of every transport that we have, in
//	                            the order UDP, TCP, TLS; without any, A and AAAA
//
// Of what a name offers only that counts which a listener of ours can send to
// (Query.Reach). Of NAPTR records those of the lowest order that has any such are
// taken, by preference (RFC 3403 4.1); of SRV records all, by priority. Whoever
// sends draws among those of one priority, by weight, for each transaction anew:
// see [Answer.Order].
//
// # The system's settings
//
// Servers, search list, time and tries are those of /etc/resolv.conf, unless
// [Config] says otherwise; both it and /etc/hosts are read again when they change.
// What /etc/hosts has is a host: it is not asked for of a server, and has neither
// NAPTR nor SRV. A server that gave no answer is asked last for a while. Each
// question has a random id and comes from a port of its own; an answer that does
// not fit the question is passed over, and a truncated one asked for over TCP.
//
// # Memory and time
//
// A [Cache] keeps answers as long as their records say, within bounds, and that a
// name is not there as long as RFC 2308 says. Who asks shortly before the end
// still gets the answer, and it is renewed behind his back. What cannot be renewed
// because no server answers is kept a while longer (RFC 8767).
//
// All is bounded: the names kept, those who wait for an answer (in all, for one
// name, from one source), the questions of one look-up and in all, the records of
// an answer that count, and the time of everything. Look-ups block, so nothing
// here but Cache.Cached and Cache.Enter is called on an event loop.
package names
