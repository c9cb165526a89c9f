// Package codec is what stands between a socket's bytes and a connection's plaintext: a
// TLS machine, nothing at all (Plain), and in front of either, while it lasts, the opening
// handshake of WebSocket (Upgrade). Whoever drives a connection drives all of them by the
// same calls.
//
// A codec has one owner at a time, who calls it, and none of it waits or makes a system
// call: its connection's loop, or the handshaker that computes a step of its handshake.
package codec
