// Package dispatcher is OpenSIPS' module of that name: it sends a call to a member
// of a set of destinations, chosen by one of several algorithms, and knows which
// members are alive.
//
// A [Table] is what was loaded, immutable behind an atomic pointer; what changes
// while it is in use is each destination's [destination.Health], which a reload
// finds again by set and URI. Choosing takes no lock and allocates nothing.
//
// Where the documentation leaves open how a hash picks a member this is rendezvous
// hashing: a member that leaves moves its own calls only.
package dispatcher
