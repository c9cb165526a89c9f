// Package acc is OpenSIPS' module acc: records of transactions and calls, in the log, in a
// database and as events.
//
// do_accounting() marks a transaction; its record is written when it is answered. With the
// flag cdr, which needs the module dialog, there is a record of the call instead: what it
// needs is a value of the dialog from the 2xx on, and it is written when the BYE is
// answered, a second or two behind it where that takes longer, or when the dialog ends
// without one. The type db needs a database, and what is
// not there is an error at load, as a column of extra_fields or leg_fields that its tables
// lack is at the start; aaa is not supported.
//
// While the database is gone its records wait in files in state_dir, 256 MB of them at
// most, over a restart, too, and so do those that come when accounting has ended; a
// record that a statement was about when the database went may be there twice. A record
// that the database refuses, as for a value that is too long, is put aside in the same
// folder, in refused.jsonl with what the database said, 16 MB at most; what finds no room
// there, or no state_dir, is in the log as a whole.
package acc
