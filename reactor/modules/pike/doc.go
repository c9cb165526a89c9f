// Package pike is OpenSIPS' module pike: it tells which addresses send too much.
//
// OpenSIPS keeps a tree of the bytes of addresses, so that its limit lies between x and
// 3x requests (8x for IPv6). Here each address is counted by itself, in a table that is
// bounded, and the limit is x in a sampling unit: an address is blocked from the request
// that goes past it until a whole unit has passed in which it stayed below.
package pike
