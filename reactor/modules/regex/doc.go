// Package regex is OpenSIPS' module regex: pcre_match() and groups of expressions from a
// file.
//
// Expressions run on package regexp: what of PCRE's syntax it lacks (back references,
// look-around) is an error when the expression is read, and none takes long for any
// input.
package regex
