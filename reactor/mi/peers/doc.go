// Package peers keeps a table of the peers that a proxy works with, so that an
// operator sees which of them is in trouble: one row is one trunk, by the SIP
// domain that requests are sent to, else by its address.
//
// A [Table] is told by the proxy of each request and response, and by the engine
// of connections that come up or fail. It takes no lock for that: rows are found
// in an index that is read without one, and count with atomics. It is bounded;
// what finds no row is counted in one for all others.
package peers
