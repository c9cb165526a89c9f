package mi

// maxReplyName is how long the name of a reply FIFO may be: a file name's limit.
const maxReplyName = 255

// fifoRequest is what a cutter cuts: `:reply:{json}`.
type fifoRequest struct {
	reply string // name of the reply FIFO, "" = no answer is wanted
	body  []byte // valid until the next call; nil when it was too long
}

// cutter cuts the bytes of a request FIFO into requests. The JSON may span
// lines; a line that begins with a colon begins a new request, whatever came
// before, so that a writer who died in the middle spoils nobody else's.
type cutter struct {
	phase  cutPhase
	reply  []byte
	body   []byte
	depth  int
	quoted bool // inside of a string
	escape bool // after a backslash
	spoilt bool // the body is too long, or ended badly: it is skipped
	start  bool // at the start of a line

	junk int // bytes and requests that were thrown away
}

// cutPhase is where a cutter is in a request.
type cutPhase uint8

const (
	cutIdle cutPhase = iota // before the first colon
	cutName                 // in the name of the reply FIFO
	cutBody                 // in the JSON
	cutRest                 // after it, or in something unreadable, until the line ends
)

// reset forgets an unfinished request. It tells whether there was one.
func (c *cutter) reset() bool {
	pending := c.phase == cutName || c.phase == cutBody
	*c = cutter{reply: c.reply[:0], body: c.body[:0], junk: c.junk}
	if pending {
		c.junk++
	}
	return pending
}

// feed takes bytes as they come and calls f with each request that is whole.
func (c *cutter) feed(b []byte, f func(r fifoRequest)) {
	for _, ch := range b {
		fresh := c.start
		c.start = ch == '\n'
		if fresh && ch == ':' && c.phase != cutIdle {
			if c.phase != cutRest {
				c.junk++
			}
			c.phase = cutIdle
		}
		switch c.phase {
		case cutIdle:
			switch ch {
			case ':':
				c.phase, c.reply = cutName, c.reply[:0]
			case ' ', '\t', '\r', '\n':
			default:
				c.junk++
				c.phase = cutRest
			}
		case cutName:
			switch {
			case ch == ':':
				c.phase, c.body = cutBody, c.body[:0]
				c.depth, c.quoted, c.escape, c.spoilt = 0, false, false, false
			case ch == '\n':
				c.junk++
				c.phase = cutIdle
			case len(c.reply) == maxReplyName:
				c.junk++
				c.phase = cutRest
			default:
				c.reply = append(c.reply, ch)
			}
		case cutBody:
			if c.take(ch) {
				c.finish(f)
				c.phase = cutRest
				if ch == '\n' {
					c.phase = cutIdle
				}
			}
		case cutRest:
			if ch == '\n' {
				c.phase = cutIdle
			}
		}
	}
}

func (c *cutter) finish(f func(r fifoRequest)) {
	r := fifoRequest{reply: string(c.reply), body: c.body}
	if c.spoilt {
		r.body = nil
	}
	f(r)
}

// take adds a byte to the body and tells whether it is whole: its brackets are
// closed, or what is not even an object or an array has met the line's end.
func (c *cutter) take(ch byte) bool {
	if c.depth == 0 && len(c.body) == 0 && (ch == ' ' || ch == '\t' || ch == '\r') {
		return false
	}
	if len(c.body) == MaxRequest {
		c.spoilt = true
	} else {
		c.body = append(c.body, ch)
	}
	if c.depth == 0 && ch != '{' && ch != '[' {
		return ch == '\n'
	}
	switch {
	case c.escape:
		c.escape = false
	case c.quoted:
		c.escape = ch == '\\'
		c.quoted = ch != '"'
	case ch == '"':
		c.quoted = true
	case ch == '{' || ch == '[':
		c.depth++
	case ch == '}' || ch == ']':
		c.depth--
		return c.depth == 0
	}
	return false
}
