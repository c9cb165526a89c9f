package sipframe

import "bytes"

// Framer cuts a stream into messages. It may stop at any byte: it remembers how
// far it has looked and does not look at a byte twice, but for the few that
// make up a name. Its zero value is ready. One goroutine at a time.
//
// What it looks at is the end of the first line, the end of the header section,
// and Content-Length; it leaves everything else to Message.Parse. The two agree
// on where headers start and end, and on what Content-Length says.
type Framer struct {
	phase   phase
	crlf    crlfState
	request bool
	bounded bool // data is one message: see Whole
	pos     int  // offset in the message up to which the current line has been looked at
	line    int  // offset of the line
	value   int  // offset of a Content-Length value that may go on in folds; 0 is none
	total   int  // length of the message, once known
	length  contentLength
	defect  *Defect
}

type phase uint8

const (
	between   phase = iota // no message has begun
	inMethod               // in the first word of the first line
	inTarget               // at the first byte behind it
	inFirst                // in the rest of the first line
	inHeaders              // at or in a header line
	inBody                 // the length is known
	lost                   // after Bad
)

// crlfState is how much of a CRLFCRLF has been seen. The bytes themselves need
// not be kept for that.
type crlfState uint8

const (
	crlfNone crlfState = iota
	crlfCR
	crlfOne
	crlfOneCR
)

// maxMethod bounds the first word of a message. The longest registered method
// has 9 letters; RFC 4475 section 3.1.1.2 has one of 45.
const maxMethod = 128

var (
	errNotSIP       = Defect{Code: 400, Reason: "Not SIP"}
	errControlByte  = Defect{Code: 400, Reason: "Control Byte in First Line"}
	errHTTP         = Defect{Code: 400, Reason: "HTTP on a SIP Stream"}
	errTLS          = Defect{Code: 400, Reason: "TLS Record on a SIP Stream"}
	errNoSIPVersion = Defect{Code: 400, Reason: "No SIP Version in First Line"}
	errLineSize     = Defect{Code: 400, Reason: ReasonTooLarge}
	errSize         = Defect{Code: 400, Reason: ReasonTooLarge, Answerable: true}
)

// Reset makes the framer ready for a new stream.
func (f *Framer) Reset() { *f = Framer{} }

// Next looks for the next message in data: what the NeedMore before left over
// with more bytes behind it, or what lies behind the End of any other Cut. It
// is called until it gives NeedMore. After Bad it gives the same again.
func (f *Framer) Next(cfg *FramerConfig, data []byte) Cut {
	start := 0
	if f.phase == between {
		var kind CutKind
		if kind, start = f.skip(cfg, data); f.phase == between {
			return Cut{Kind: kind, Start: start, End: start}
		}
	}
	limit := cfg.MaxMessage
	if limit <= 0 {
		limit = DefaultMaxMessage
	}
	msg := data[start:]
	if f.phase != inBody && f.phase != lost {
		f.scan(msg, limit)
	}
	switch {
	case f.phase == lost:
		return f.bad(start, msg)
	case f.phase == inBody && len(msg) >= f.total:
		end := start + f.total
		f.Reset()
		return Cut{Kind: Frame, Start: start, End: end}
	}
	return Cut{Kind: NeedMore, Start: start, End: len(data)}
}

// skip passes over what may stand between messages and tells where it stopped.
// If the phase is another one then, a message begins there.
func (f *Framer) skip(cfg *FramerConfig, data []byte) (kind CutKind, at int) {
	for i, c := range data {
		switch c {
		case '\r':
			if f.crlf == crlfOne {
				f.crlf = crlfOneCR
			} else {
				f.crlf = crlfCR
			}
		case '\n':
			switch {
			case f.crlf == crlfOneCR && cfg.PingPong:
				f.crlf = crlfNone
				return Ping, i + 1
			case f.crlf == crlfCR, f.crlf == crlfOneCR:
				f.crlf = crlfOne
			default:
				f.crlf = crlfNone
			}
		case ' ', '\t':
			f.crlf = crlfNone
		default:
			*f = Framer{phase: inMethod}
			return NeedMore, i
		}
	}
	if cfg.DropCRLF && f.crlf == crlfOne {
		f.crlf = crlfNone
		return Dropped, len(data)
	}
	return NeedMore, len(data)
}

// headerReach is how many times the limit a header section is followed that is larger:
// who sent it is told in its last lines, perhaps, and is to be answered.
const headerReach = 2

// scan goes on through the header section; b starts at the message.
func (f *Framer) scan(b []byte, limit int) {
	reach := headerReach * limit
	b = b[:min(len(b), reach)]
	if f.phase == inMethod {
		f.scanMethod(b)
	}
	if f.phase == inTarget && f.pos < len(b) {
		f.phase = inFirst
		if f.request && b[f.pos] == '/' {
			f.lose(&errHTTP)
		}
	}
	if f.phase == inFirst {
		f.scanFirst(b)
	}
	if f.phase == inHeaders {
		f.scanHeaders(b, limit)
	}
	if f.phase < inBody && len(b) == reach {
		if f.phase == inHeaders {
			f.lose(&errSize) // what is there of the headers may tell whom to answer
		} else {
			f.lose(&errLineSize)
		}
	}
}

func (f *Framer) lose(d *Defect) { f.phase, f.defect = lost, d }

// scanMethod looks at each byte of the first word, so that what is no SIP is
// told by its first bytes and not by a timer.
func (f *Framer) scanMethod(b []byte) {
	for ; f.pos < len(b); f.pos++ {
		c := b[f.pos]
		switch {
		case class[c]&classToken != 0:
			if f.pos == maxMethod {
				f.lose(&errNotSIP)
				return
			}
		case c == ' ' && f.pos > 0:
			f.request = true
			f.pos++
			f.phase = inTarget
			return
		case c == '/' && f.pos == 3 && EqualFold(b[:3], "SIP"):
			f.phase = inFirst
			return
		case c == '/' && f.pos == 4 && EqualFold(b[:4], "HTTP"):
			f.lose(&errHTTP)
			return
		case f.pos == 0 && c == 0x16:
			f.lose(&errTLS)
			return
		case c < ' ':
			f.lose(&errControlByte)
			return
		default:
			f.lose(&errNotSIP)
			return
		}
	}
}

// scanFirst looks for the end of the first line and at its version. A control character in it is the message's defect,
// which is answered, as long as the line has a version.
func (f *Framer) scanFirst(b []byte) {
	n := bytes.IndexByte(b[f.pos:], '\n')
	if n < 0 {
		f.pos = len(b)
		return
	}
	f.endFirst(b, f.pos+n)
}

// endFirst looks at the whole first line, whose LF stands at eol.
func (f *Framer) endFirst(b []byte, eol int) {
	f.pos, f.line = eol+1, eol+1
	f.phase = inHeaders
	to := eol
	for to > 0 && (isBlank(b[to-1]) || b[to-1] == '\r') {
		to--
	}
	word := 0
	if f.request {
		word = bytes.LastIndexByte(b[:to], ' ') + 1
	}
	switch {
	case isVersion(b[word:to]):
	case bytes.HasPrefix(b[word:to], []byte("HTTP/")):
		f.lose(&errHTTP)
	case hasControl(b[:to], false):
		f.lose(&errControlByte)
	default:
		f.lose(&errNoSIPVersion)
	}
}

// scanHeaders goes through the header lines to the empty line.
func (f *Framer) scanHeaders(b []byte, limit int) {
	for f.line < len(b) {
		c := b[f.line]
		if !isBlank(c) {
			if f.value > 0 {
				f.length.add(trimmed(b, f.value, f.line).In(b))
				f.value = 0
			}
			switch {
			case c == '\n':
				f.endHeaders(f.line+1, limit)
				return
			case c != '\r':
			case f.line+1 == len(b):
				return
			case b[f.line+1] == '\n':
				f.endHeaders(f.line+2, limit)
				return
			}
		}
		n := bytes.IndexByte(b[f.pos:], '\n')
		if n < 0 {
			f.pos = len(b)
			return
		}
		end := f.pos + n + 1
		if c|0x20 == 'c' || c|0x20 == 'l' {
			f.value = lengthValue(b, f.line, end)
		}
		f.line, f.pos = end, end
	}
}

// lengthValue gives the offset of the value if the line is a Content-Length
// header, else 0.
func lengthValue(b []byte, line, end int) int {
	const long, dash = len("Content-Length"), len("Content")
	i := line + 1
	if !isBlank(b[i]) && b[i] != ':' {
		i = line + long
		if i >= end || b[line+dash] != '-' || HeaderKindOf(b[line:i]) != HeaderContentLength {
			return 0
		}
	} else if b[line]|0x20 != 'l' {
		return 0
	}
	for isBlank(b[i]) {
		i++
	}
	if b[i] != ':' {
		return 0
	}
	return i + 1
}

// endHeaders works out the length of the message, whose body starts at end.
func (f *Framer) endHeaders(end, limit int) {
	f.line = end
	f.phase = inBody
	switch {
	case end > limit:
		f.lose(&errSize)
	case f.length.err != nil:
		f.lose(f.length.err)
	case !f.length.present && f.bounded:
		f.total = end
	case !f.length.present:
		f.lose(errMissingLength)
	case f.length.n > limit-end:
		f.lose(&errSize)
	default:
		f.total = end + f.length.n
	}
}
