// Package framing is how the plaintext of a connection becomes messages: what cuts it, the
// beginning of a message that is not complete, and in how many chunks that came.
//
// The bytes of a read are in the loop's slab. Begin puts what is left of the reads before
// in front of them, Next cuts one thing after the other, and Keep takes what is left:
//
//	base := f.Begin(slab)     what was kept is in the slab, the read comes behind it
//	slab.Took(...)
//	f.Next(..., base)         until it needs more
//	f.Keep(slab, from)        what is not complete leaves the slab
//
// Between two reads an idle connection keeps nothing.
package framing

import (
	"sync/atomic"

	"sipreactor/reactor/internal/slab"
	"sipreactor/reactor/internal/websocket"
	"sipreactor/sipframe"
)

// Framing is that of one connection. Its loop owns it; CutShort is for any goroutine. The
// zero Framing cuts a stream of SIP.
type Framing struct {
	sip      sipframe.Framer
	web      *websocket.Stream // cuts instead, where messages are in frames of WebSocket
	partial  *sipframe.Buffer  // the beginning of a message that is not complete
	cutShort atomic.Bool       // there is one, and it is counted to the peer
	chunks   int               // that it came in so far
}

// Web has it cut the frames of WebSocket. Nothing was cut yet.
func (f *Framing) Web(w *websocket.Stream) { f.web = w }

// Stream returns the frames of WebSocket; nil: it is another stream.
func (f *Framing) Stream() *websocket.Stream { return f.web }

// Start gives it bytes that came before the first read.
func (f *Framing) Start(b []byte) {
	if len(b) > 0 {
		f.partial = slab.Keep(b)
	}
}

// Begin readies a slab for a read, with what was kept in front. It returns the offset of
// that, and whether there was something.
func (f *Framing) Begin(s *slab.Slab) (base int, kept bool) {
	if f.web != nil {
		f.web.Grew() // of the read before
	}
	if f.partial == nil {
		return s.Begin(nil), false
	}
	base = s.Begin(f.partial.Bytes())
	return base, f.Drop()
}

// Next cuts what is in the slab from an offset on. The offsets of the cut are those of the
// slab. It reports as well whether the message that is cut is shredded: it came in most
// chunks or more, where most is above 0. It may write to the slab.
func (f *Framing) Next(cfg *sipframe.FramerConfig, s *slab.Slab, at, most int) (cut sipframe.Cut, shredded bool) {
	data := s.Bytes()[at:]
	if f.web != nil {
		cut = f.web.Next(cfg, data)
	} else {
		cut = f.sip.Next(cfg, data)
	}
	cut.Start += at
	cut.End += at
	if cut.Kind == sipframe.Frame {
		if shredded = most > 0 && f.chunks+s.Small(cut.Start, cut.End) >= most; !shredded {
			f.chunks = 0
		}
	}
	return cut, shredded
}

// Begun reports whether a message has begun of which nothing is there yet, but its frame.
func (f *Framing) Begun() bool { return f.web != nil && f.web.Unfinished() }

// Keep takes what is in the slab from an offset on, which is not complete, and counts the
// chunks it came in. It reports whether it is shredded, and not kept: see Next.
func (f *Framing) Keep(s *slab.Slab, from, most int) (shredded bool) {
	f.chunks += f.pieces(s, from)
	if most > 0 && f.chunks >= most {
		return true
	}
	f.partial = slab.Keep(s.Bytes()[from:])
	f.cutShort.Store(true)
	return false
}

// pieces returns how many chunks the read under way has brought of a message that starts at
// from and is not complete. The control frames of WebSocket, which may come between its
// fragments (RFC 6455 5.4), are none.
func (f *Framing) pieces(s *slab.Slab, from int) int {
	n := s.Chunks(from)
	if f.web == nil {
		return n
	}
	grew, beside := f.web.Grew()
	switch {
	case !grew:
		return 0
	case n > 0:
		return max(1, n-beside)
	default:
		return 0
	}
}

// Whole notes that no message is incomplete: a control frame in pieces is no message in
// pieces.
func (f *Framing) Whole() { f.chunks = 0 }

// CutShort reports whether a message has begun and is not complete. Any goroutine.
func (f *Framing) CutShort() bool { return f.cutShort.Load() }

// Drop lets go of what is kept, and reports whether there was something.
func (f *Framing) Drop() bool {
	if f.partial == nil {
		return false
	}
	f.partial.Release()
	f.partial = nil
	f.cutShort.Store(false)
	return true
}
