package sipframe

import "math"

// contentLength collects the Content-Length headers of one message. The framer
// and the parser both use it, so they agree on what is a length and what is not.
//
// A value is digits and nothing else. White space around it is not part of it,
// folds included: "Content-Length:\r\n 150" is 150.
type contentLength struct {
	n       int
	present bool
	err     *Defect
}

var (
	errBadLength     = badRequest("Bad Content-Length")
	errTwoLengths    = badRequest("Contradicting Content-Length")
	errMissingLength = badRequest(ReasonNoLength)
)

// add takes the value of one more header.
func (c *contentLength) add(value []byte) {
	n, ok := ParseUint(value, math.MaxInt32)
	switch {
	case c.err != nil:
	case !ok:
		c.err = errBadLength
	case c.present && c.n != int(n):
		c.err = errTwoLengths
	}
	c.n, c.present = int(n), true
}
