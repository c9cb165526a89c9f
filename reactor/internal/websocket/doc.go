// Package websocket is SIP over WebSocket (RFC 7118, RFC 6455) without a socket:
// bytes in, events out, and the other way round. It has the opening handshake of
// both sides (Opening), and the stream of frames behind it (Stream).
//
// A Stream belongs to one goroutine at a time, but for Open, Close and Turn, which
// only read what does not change. It reads in place: what it is given is unmasked
// and, if a message came in fragments, moved together where it lies. Nothing is
// copied for a message in one frame, nothing is allocated for any, and besides the
// state of a frame it keeps the last ping that is to be answered.
//
//	a frame's head ---> payload ---> fragment's end: the next head
//	   |                   |
//	   |                   '-------> message's end: Frame, Ping, Dropped or Bad
//	   |--> ping, pong               between any two frames
//	   |--> close                    Over
//	   '--> what no peer may send    Bad, with the code to close with
//
// Extensions are not negotiated: a reserved bit is an error. Frames' heads are
// read here, since gobwas/ws reads them from an io.Reader at the cost of an
// allocation each; its checks of them, its cipher and its server's handshake are
// used as they are.
package websocket
