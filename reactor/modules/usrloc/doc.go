// Package usrloc is the module usrloc: the tables of contacts that registrar writes and reads, their management, their
// events and their storage in a database.
//
// The contacts are in package location, one table for each name that save() or lookup() is called with ("location"). A
// goroutine drops what is over every second, and writes what has changed to the database every timer_interval
// (write-back), or as soon as it changes (write-through). At the start the rows are read back. A database that is away
// costs nobody who registers: what has changed waits.
//
// Addresses of record are the user, or with use_domain user@host. Those that come by management are read as registrar
// makes them.
//
// # Not as there
//
// Expired contacts go, with their events, in the second they expire and not at the next timer_interval. Contacts whose
// connection has ended are passed over by lookup() if they can be reached by nothing else, or removed with
// remove_on_flow_end (ours). The cluster and the storage without memory (sql-only) are refused.
package usrloc
