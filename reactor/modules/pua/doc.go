// Package pua is OpenSIPS' module pua: a presence user agent. It publishes what other modules
// know (RFC 3903), pua_usrloc and pua_dialoginfo among them, and subscribes for pua_mi (RFC 6665).
//
// # A publication
//
// There is one for each URI, event and ID. What it is to say replaces what it said: of one
// publication one PUBLISH is under way, and what changes meanwhile is told by the next, the
// newest state alone. Its entity tag is the server's; where that has forgotten it (412) the
// whole is published anew. It is refreshed before the server lets it go, until its time is over.
//
// # Who owns what
//
// One lock guards all of it, and is not held while something is sent. Publish and Subscribe may
// be called by any goroutine. All is in memory and handed on at a reload; after a restart the
// server lets go what nobody refreshes.
package pua
