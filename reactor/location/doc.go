// Package location keeps which contacts an address of record is reached by (RFC 3261 10, RFC 5626), in memory.
//
// A [Table] is what OpenSIPS calls a domain of usrloc ("location"). It knows no SIP message and no database: a registrar
// gives it an [Update] for each REGISTER and reads contacts with [Table.Lookup]; whoever persists it takes what has
// changed with [Table.Changed] and puts rows back with [Table.Restore]; who wants to know at once is Config.Notify.
//
// # Who owns what
//
// Addresses of record are spread over shards by hash, each with one lock, which is never held while another shard's is.
// A Contact belongs to its shard: what a visit function is given is valid until it returns, and must not be changed or
// kept; a copy may. Flows, the connections that contacts came by, are an index of their own with its own locks. Lock
// order: shard -> flows. Notify is called with no lock held.
//
// # Time and memory
//
// Times are unix seconds that the caller gives, so there is no clock here. Table.Expire drops what is over, in the second
// it is over; lookups pass over it before. A contact is one object and one text that all its strings are parts of; its
// links for order, expiry and flow are in it.
package location
