// Package usrloc is the module usrloc: the tables of contacts that registrar writes and reads, their management, their
// events and their storage in a database.
//
// The contacts are in package location, one table for each name that save() or lookup() is called with ("location"). A
// goroutine drops what is over every second, and writes what has changed to the database every timer_interval
// (write-back), or before a REGISTER is answered (write-through; those that come together are written together). At the
// start the rows are read back. A database that is away costs those who register as it goes one statement, and nobody
// behind them: what has changed waits, and is kept in state_dir for the next start if the program stops meanwhile.
//
// With sql-only several servers have one table. The contacts of a user are read from it for each save() and lookup(), and
// written before the answer; without the database a REGISTER is answered 500. What is in memory are the connections of
// those that registered here, and those alone are pinged.
//
// Addresses of record are the user, or with use_domain user@host. Those that come by management are read as registrar
// makes them.
//
// # Not as in OpenSIPS
//
// Expired contacts go, with their events, in the second they expire and not at the next timer_interval. Contacts whose
// connection has ended are passed over by lookup() if they can be reached by nothing else, or removed with
// remove_on_flow_end (ours). Keys of users (ul_add_key) are in memory, and go with their last contact. The cluster is
// refused.
package usrloc
