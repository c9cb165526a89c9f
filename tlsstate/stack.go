package tlsstate

import "runtime"

// handshakeFrame makes a stack of 16 KiB of one of 2, which a handshake of
// crypto/tls needs with every key it may meet.
const handshakeFrame = 10 << 10

// deepen gives a handshake's coroutine the stack that it needs while there is
// next to nothing on it. Else it grows in steps, in each of which all its frames
// are copied and mended: a sixth of a resumed handshake of TLS 1.2.
//
//go:noinline
func deepen() {
	var room [handshakeFrame]byte
	runtime.KeepAlive(&room)
}
