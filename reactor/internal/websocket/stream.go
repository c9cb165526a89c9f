package websocket

import (
	"unicode/utf8"

	"github.com/gobwas/ws"

	"sipreactor/sipframe"
)

// Stream is the frames of one connection. NewStream makes one.
type Stream struct {
	client bool     // we have opened it: never changes, so that senders may ask beside the reader
	state  ws.State // which side we are, and whether a message has begun that is not whole
	text   bool     // it is text
	within bool     // in the payload of a frame of a message
	fin    bool     // its last one
	mask   [4]byte
	turned int   // bytes of the payload that are unmasked
	left   int64 // bytes of it that are still to come
	got    int   // bytes of the message that are here
	code   Code  // to close with; 0: none was found yet
	over   bool  // nothing more is read
	defect *sipframe.Defect
	pong   []byte // a pong that is to be sent
	pinged bool   // a ping or pong came
	grew   bool   // something came of a message that is not whole: see Grew
	beside int    // whole control frames since Grew was asked
}

// NewStream makes the stream of a connection behind its opening handshake; client:
// we have opened it.
func NewStream(client bool) *Stream {
	if client {
		return &Stream{client: true, state: ws.StateClientSide}
	}
	return &Stream{state: ws.StateServerSide}
}

func (s *Stream) masks() bool { return s.client }

// Next looks for the next message in data, as sipframe.Framer.Next does: what the
// NeedMore before left over with more bytes behind it, or what lies behind the End
// of any other Cut. It writes to data. A message is what was sent as one, in one
// frame or in fragments (RFC 6455 5.4): a SIP message, and nothing else with it,
// or white space that keeps the connection up (RFC 7118 5, 6).
//
// Over is the peer's close frame. After that, or Bad, it gives the same again.
func (s *Stream) Next(cfg *sipframe.FramerConfig, data []byte) sipframe.Cut {
	if s.over {
		return s.end(0)
	}
	// The message's bytes are data[from:to], what is not looked at begins at pos.
	from, to, pos := 0, s.got, s.got
	for {
		if s.within {
			n := int(min(s.left, int64(len(data)-pos)))
			piece := data[pos : pos+n]
			if s.state.ServerSide() {
				ws.Cipher(piece, s.mask, s.turned)
				s.turned = (s.turned + n) & 3
			}
			if to != pos {
				copy(data[to:], piece)
			}
			to, pos, s.left = to+n, pos+n, s.left-int64(n)
			if s.left > 0 {
				break
			}
			s.within = false
			if s.fin {
				from = together(data, from, to, pos)
				return s.message(cfg, data, from, pos)
			}
		}
		h, n, err := readHeader(data[pos:])
		if wrong := check(data[pos:], s.state); wrong != nil {
			err = wrong
		}
		switch {
		case err != nil:
			return s.fail(ProtocolError, defectOf(err), pos)
		case n == 0:
			return s.wait(data, from, to, pos)
		case h.OpCode.IsControl():
			end := pos + n + int(h.Length)
			if len(data) < end {
				return s.wait(data, from, to, pos)
			}
			if s.control(h, data[pos+n:end]) {
				return s.end(end)
			}
			pos = end
		case int64(to-from)+h.Length > int64(limitOf(cfg)):
			return s.fail(TooBig, &errSize, pos)
		default:
			pos += n
			if to == from {
				from, to = pos, pos
			}
			s.begin(h)
		}
	}
	return s.wait(data, from, to, pos)
}

// begin is at the head of a frame of a message.
func (s *Stream) begin(h ws.Header) {
	if h.OpCode != ws.OpContinuation {
		s.text = h.OpCode == ws.OpText
	}
	s.within, s.fin, s.left = true, h.Fin, h.Length
	s.mask, s.turned = h.Mask, 0
	if s.state = s.state.Set(ws.StateFragmented); h.Fin {
		s.state = s.state.Clear(ws.StateFragmented)
	}
}

// check finds what the first two bytes of a head, as far as they are here, show to be
// wrong: nobody waits for the rest of it then.
func check(b []byte, state ws.State) error {
	if len(b) == 0 {
		return nil
	}
	h := ws.Header{Fin: b[0]&finBit != 0, Rsv: b[0] >> 4 & 7, OpCode: ws.OpCode(b[0] & codeBits), Masked: state.ServerSide()}
	if err := ws.CheckHeader(h, state); err != nil || len(b) == 1 {
		return err
	}
	h.Masked, h.Length = b[1]&maskBit != 0, int64(b[1]&^maskBit)
	return ws.CheckHeader(h, state)
}

// together moves the message's bytes up to what is behind them, and returns where
// they begin then.
func together(data []byte, from, to, pos int) int {
	if to != pos {
		copy(data[pos-(to-from):pos], data[from:to])
	}
	return pos - (to - from)
}

// wait is the end of what there is to look at.
func (s *Stream) wait(data []byte, from, to, pos int) sipframe.Cut {
	s.grew = s.grew || to-from > s.got || pos < len(data) && !ws.OpCode(data[pos]&codeBits).IsControl()
	s.got = to - from
	return sipframe.Cut{Kind: sipframe.NeedMore, Start: together(data, from, to, pos), End: len(data)}
}

// message is the end of a message.
func (s *Stream) message(cfg *sipframe.FramerConfig, data []byte, from, to int) sipframe.Cut {
	s.got = 0
	if s.text && !utf8.Valid(data[from:to]) {
		return s.fail(BadData, &errUTF8, from)
	}
	cut := sipframe.Whole(cfg, data[from:to])
	if cut.Kind == sipframe.Bad {
		s.code, s.over, s.defect = BadData, true, &sipframe.Defect{}
		if *s.defect = cut.Defect; cut.Defect.Reason == sipframe.ReasonTooLarge {
			s.code = TooBig
		}
	}
	cut.Start, cut.End = from+cut.Start, from+cut.End
	return cut
}

// control is a whole control frame: true for the peer's close.
func (s *Stream) control(h ws.Header, payload []byte) bool {
	if h.Masked {
		ws.Cipher(payload, h.Mask, 0)
	}
	if h.OpCode == ws.OpClose {
		s.closed(payload)
		return true
	}
	if h.OpCode == ws.OpPing { // the last one is answered (RFC 6455 5.5.3)
		s.pong = appendFrame(s.pong[:0], ws.OpPong, s.masks(), payload)
	}
	s.pinged = true
	s.beside++
	return false
}

// fail ends the reading for what the peer may not send.
func (s *Stream) fail(code Code, d *sipframe.Defect, at int) sipframe.Cut {
	s.code, s.over, s.defect = code, true, d
	return sipframe.Cut{Kind: sipframe.Bad, Start: at, End: at, Defect: *d}
}

// end is what there is to tell of a stream that is over.
func (s *Stream) end(at int) sipframe.Cut {
	if s.defect != nil {
		d := *s.defect
		d.Answerable = false
		return sipframe.Cut{Kind: sipframe.Bad, Start: at, End: at, Defect: d}
	}
	return sipframe.Cut{Kind: sipframe.Over, Start: at, End: at}
}

// Unfinished reports whether a message has begun that is not whole, even if nothing
// of it has to come again.
func (s *Stream) Unfinished() bool { return s.within || s.state.Fragmented() }

// Grew reports whether, since it was asked last, something came of a message that is not whole, and how many control
// frames came beside it: those are no pieces of it.
func (s *Stream) Grew() (grew bool, beside int) {
	grew, beside = s.grew, s.beside
	s.grew, s.beside = false, 0
	return grew, beside
}

// Pinged reports whether the peer has sent pings or pongs since it was asked last, and
// returns the frame that answers the last ping; nil if none is to be. It is valid
// until the next call of Next.
func (s *Stream) Pinged() (answer []byte, came bool) {
	came, s.pinged = s.pinged, false
	answer, s.pong = s.pong, nil
	return answer, came
}

func limitOf(cfg *sipframe.FramerConfig) int {
	if cfg.MaxMessage > 0 {
		return cfg.MaxMessage
	}
	return sipframe.DefaultMaxMessage
}

// Open leaves room for the head of a frame behind what is to be sent.
func (s *Stream) Open(b []byte) []byte {
	var room [8]byte
	return append(b, room[:headRoom(s.masks())]...)
}

// Close writes the head of the frame that was opened at from, and returns where its
// message begins. A client's message is not masked yet: see Turn.
func (s *Stream) Close(b []byte, from int) (out []byte, begin int) {
	return writeHeader(b, from, kindOf(b[from+headRoom(s.masks()):]), s.masks())
}

// Turn masks a message in place, b[begin:end], or takes the mask off again. A server's
// messages have none.
func (s *Stream) Turn(b []byte, begin, end int) {
	if s.masks() && begin < end {
		ws.Cipher(b[begin:end], [4]byte(b[begin-4:begin]), 0)
	}
}
