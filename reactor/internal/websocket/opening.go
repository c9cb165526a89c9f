package websocket

import (
	"bytes"
	"fmt"

	"sipreactor/tlsstate"
)

// maxHead is how many bytes the head of an opening handshake may have. Browsers send
// cookies along.
const maxHead = 8 << 10

// Protocol is the WebSocket subprotocol of SIP (RFC 7118 4).
const Protocol = "sip"

// Error is why an opening handshake failed. Reason is of a fixed set.
type Error struct {
	Status int // of the HTTP response, ours or the server's; 0: there is none
	Reason string
}

// Error returns the reason, and the status.
func (e *Error) Error() string {
	if e.Status == 0 {
		return "websocket: " + e.Reason
	}
	return fmt.Sprintf("websocket: %s (%d)", e.Reason, e.Status)
}

// Opening is one side of an opening handshake (RFC 6455 4). Accept and Dial make one.
type Opening interface {
	// Begin returns what is to be sent before the peer says anything.
	Begin() []byte
	// Feed takes bytes of the peer, any number of them, and returns what is to be sent
	// then. nil: the handshake is done. tlsstate.ErrWantRead: it takes more. An *Error:
	// it failed, and the answer tells the peer. It keeps no more than maxHead bytes.
	Feed(b []byte) (answer []byte, err error)
	// Rest returns what came behind the handshake.
	Rest() []byte
	// Talk returns the request and its answer, as far as they are known, for who traces: see Told.
	Talk() (request, answer []byte)
}

// head gathers the head of a request or a response, up to its empty line.
type head struct {
	b      []byte
	whole  []byte // what was read, once that is done
	looked int
	rest   []byte
	done   bool
}

// take appends bytes and reports whether the head is whole. An error is that it is
// too large.
func (h *head) take(b []byte) error {
	if h.done {
		h.rest = append(h.rest, b...)
		return nil
	}
	h.b = append(h.b, b...)
	if end := bytes.Index(h.b[h.looked:], []byte("\r\n\r\n")); end >= 0 && h.looked+end+4 <= maxHead {
		end += h.looked + 4
		h.b, h.rest, h.done = h.b[:end:end], h.b[end:], true
		h.whole = h.b
		return nil
	}
	if len(h.b) >= maxHead {
		return errHeadSize
	}
	h.looked = max(len(h.b)-3, 0)
	return tlsstate.ErrWantRead
}

var errHeadSize = &Error{Status: 431, Reason: "head too large"}
