// Package query reads the SQL of a script, in which variables stand, and makes
// of it statements whose values are apart from the text.
//
// A variable inside quotes becomes part of a value, so nothing in it is read as
// SQL, whatever the kind of database:
//
//	SELECT attrs FROM subscriber WHERE username='$fU' AND domain LIKE '%.$fd'
//
// A variable outside of quotes passes as a number only. What a variable brings that
// is the whole query is SQL, and a note at load says so. A variable behind
// {s.escape.common} is not escaped twice.
package query
