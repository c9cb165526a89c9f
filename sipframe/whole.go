package sipframe

import "bytes"

var (
	errNoEnd    = Defect{Code: 400, Reason: "No Empty Line Behind the Header"}
	errTwoAtOne = badRequest("Bytes Behind the End")
)

// Whole looks at what a transport that keeps the bounds of messages has brought as
// one, WebSocket for example (RFC 7118 5): Frame, a SIP message that ends where data
// does; Ping, if pings are answered, or Dropped, white space that keeps the
// connection up; or Bad. Content-Length need not be there; if it is, neither more
// nor less may follow the headers.
func Whole(cfg *FramerConfig, data []byte) Cut {
	start := len(data) - len(bytes.TrimLeft(data, "\r\n \t"))
	if start == len(data) {
		if cfg.PingPong && bytes.Contains(data, []byte("\r\n\r\n")) {
			return Cut{Kind: Ping, Start: start, End: start}
		}
		return Cut{Kind: Dropped, Start: start, End: start}
	}
	limit := cfg.MaxMessage
	if limit <= 0 {
		limit = DefaultMaxMessage
	}
	f := Framer{phase: inMethod, bounded: true}
	msg := data[start:]
	if f.scan(msg, limit); f.phase < inBody {
		f.lose(&errNoEnd)
	}
	switch {
	case f.phase == lost:
		return f.bad(start, msg)
	case len(msg) > limit:
		f.lose(&errSize)
	case !f.length.present, f.total == len(msg):
		return Cut{Kind: Frame, Start: start, End: len(data)}
	case f.total > len(msg):
		f.lose(errShortBody)
	default:
		f.lose(errTwoAtOne)
	}
	return f.bad(start, msg)
}

// bad is what a message that is lost comes to: with its header section, as far as
// that is there, if it may be answered.
func (f *Framer) bad(start int, msg []byte) Cut {
	cut := Cut{Kind: Bad, Start: start, End: start, Defect: *f.defect}
	if cut.Defect.Answerable = f.defect.Answerable && f.request; cut.Defect.Answerable {
		cut.End = start + min(f.line, len(msg))
	}
	return cut
}
