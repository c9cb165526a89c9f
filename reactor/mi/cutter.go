package mi

import "sipreactor/reactor/rpc"

// maxReplyName is how long the name of a reply FIFO may be: a file name's limit.
const maxReplyName = 255

// fifoRequest is what a cutter cuts: `:reply:{json}`.
type fifoRequest struct {
	reply string // name of the reply FIFO, "" = no answer is wanted
	body  []byte // valid until the next call; nil when it was too long
}

// cutter cuts the bytes of a request FIFO into requests. Clients end theirs with
// a line end or, as opensips-cli does, with nothing at all: behind a whole JSON
// document the next colon begins the next request. The JSON may span lines.
//
// A writer who died in the middle spoils nobody else's request: a line that
// begins with a colon begins a new one, whatever came before, and so does
// `:reply:{` at which the JSON before it ceases to be JSON, or that stands behind
// what never was a request.
type cutter struct {
	phase  cutPhase
	reply  []byte
	body   []byte
	depth  int
	quoted bool     // inside of a string
	escape bool     // after a backslash
	spoilt bool     // the body is too long: only its end is kept
	start  bool     // at the start of a line
	syntax document // of the body
	broken bool     // the body is no JSON

	junk int    // pieces that were thrown away
	last string // the name in the last of them, as far as it had one
}

// cutPhase is where a cutter is in a request.
type cutPhase uint8

const (
	cutIdle cutPhase = iota // before the first colon, or behind a whole document
	cutName                 // in the name of the reply FIFO
	cutBody                 // in the JSON
	cutRest                 // in something unreadable, until the line ends
)

// reset forgets an unfinished request. It tells whether there was one.
func (c *cutter) reset() bool {
	pending := c.phase == cutName || c.phase == cutBody
	if pending {
		c.throw()
	}
	*c = cutter{reply: c.reply[:0], body: c.body[:0], syntax: document{open: c.syntax.open[:0]}, junk: c.junk, last: c.last}
	return pending
}

// throw counts a request that is thrown away.
func (c *cutter) throw() {
	c.junk++
	c.last = string(c.reply)
}

// skip throws away what is unreadable, and begins to look for a request behind it.
func (c *cutter) skip(ch byte) {
	c.junk++
	c.last = ""
	c.phase = cutRest
	c.body = append(c.body[:0], ' ', ch) // no name begins here
}

// feed takes bytes as they come and calls f with each request that is whole.
func (c *cutter) feed(b []byte, f func(r fifoRequest)) {
	for _, ch := range b {
		if c.step(ch, f) {
			// It ends in the first bracket of a request's JSON, or a little behind it.
			for _, again := range c.another() {
				c.step(again, f)
			}
		}
	}
}

// step takes one byte. It tells whether the body turned out to hold the
// beginning of another request.
func (c *cutter) step(ch byte, f func(r fifoRequest)) (another bool) {
	fresh := c.start
	c.start = ch == '\n'
	if fresh && ch == ':' && c.phase != cutIdle {
		if c.phase != cutRest {
			c.throw()
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
			c.skip(ch)
		}
	case cutName:
		switch {
		case ch == ':':
			c.phase, c.body = cutBody, c.body[:0]
			c.depth, c.quoted, c.escape, c.spoilt = 0, false, false, false
			c.syntax, c.broken = document{open: c.syntax.open[:0]}, false
		case ch == '\n':
			c.throw()
			c.phase = cutIdle
		case len(c.reply) == maxReplyName:
			c.skip(ch)
		default:
			c.reply = append(c.reply, ch)
		}
	case cutBody:
		if c.take(ch) {
			c.phase = cutIdle
			c.finish(f)
			return false
		}
		return c.breaks(ch)
	case cutRest:
		if ch == '\n' {
			c.phase = cutIdle
			return false
		}
		c.keep(ch)
		return (ch == '{' || ch == '[') && nameBefore(c.body, len(c.body)-1) >= 0
	}
	return false
}

// tailSize is how much is kept of what is skipped: the name of a request that may
// begin in it, and its colons.
const tailSize = maxReplyName + 8

// keep adds a byte to the end of what is skipped.
func (c *cutter) keep(ch byte) {
	if len(c.body) >= 2*tailSize {
		c.body = append(c.body[:0], c.body[len(c.body)-tailSize:]...)
		c.body[0] = ' ' // it may be in the middle of a name
	}
	c.body = append(c.body, ch)
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
	if c.spoilt = c.spoilt || len(c.body) == rpc.MaxRequest; c.spoilt {
		c.keep(ch)
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

// breaks follows the body as JSON. It tells whether it is broken and, since it
// broke or with this byte, holds the beginning of another request.
func (c *cutter) breaks(ch byte) bool {
	switch {
	case len(c.body) == 0:
		return false
	case c.broken:
		return (ch == '{' || ch == '[') && beginning(c.body) == len(c.body)-1
	case c.syntax.take(ch):
		return false
	default:
		c.broken = true
		return beginning(c.body) >= 0
	}
}

// another ends what is broken and gives the bytes of the one that
// begins in it, behind its colon. They are valid while they are fed: what is kept
// of them takes their place in the same memory and is never ahead of them.
func (c *cutter) another() []byte {
	from := nameBefore(c.body, beginning(c.body))
	if c.phase != cutRest {
		c.throw()
	}
	c.phase, c.reply, c.start = cutName, c.reply[:0], false
	return c.body[from:]
}

// beginning gives the place of the last bracket in a body that stands behind
// `:reply:`, -1 if there is none. The colon before the body counts: it may have
// ended the name that a writer had begun.
func beginning(b []byte) int {
	for i := len(b) - 1; i > 0; i-- {
		if (b[i] == '{' || b[i] == '[') && nameBefore(b, i) >= 0 {
			return i
		}
	}
	return -1
}

// nameBefore gives the place of the name that `:reply:` before a bracket has, -1
// if nothing like that stands there.
func nameBefore(b []byte, bracket int) int {
	end := bracket - 1
	for end > 0 && (b[end] == ' ' || b[end] == '\t') {
		end--
	}
	if end < 0 || b[end] != ':' {
		return -1
	}
	for i := end; i >= 0 && end-i <= maxReplyName; i-- {
		if i == 0 || b[i-1] == ':' {
			return i
		}
		if ch := b[i-1]; ch <= ' ' || ch == '"' || ch == '{' || ch == '[' || ch == ',' || ch == '/' {
			return -1
		}
	}
	return -1
}
