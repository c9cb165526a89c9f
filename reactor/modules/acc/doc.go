// Package acc is OpenSIPS' module acc: records of transactions, in the log and as events.
//
// do_accounting() marks a transaction; its record is written when it is answered. The
// flag cdr needs the module dialog, the type db a database, and what is not there is an
// error at load; aaa is not supported.
package acc
