// Package json is OpenSIPS' module json: $json(name/key[index]) reads and changes
// documents in a script.
//
// A document belongs to the message, as $var() does; there it stays in its process.
// Documents are bounded: bytes of text, depth and values. References that json_link()
// makes are shared within the message; one that would make a circle is refused, where
// OpenSIPS' documentation tells of a crash.
package json
