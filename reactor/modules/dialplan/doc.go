// Package dialplan is OpenSIPS' module dialplan: strings, mostly numbers, translated by
// the rules of a table.
//
// A partition is a table in memory, an immutable snapshot that dp_reload replaces as a
// whole or, after an error in any row, not at all. Rules equal to a string are found by
// a map; regular expressions are tried one after the other, by priority. They are Go's,
// which never backtrack, so what a peer sends costs no more than its length: a row that
// needs back references or looks around is an error that names it.
package dialplan
