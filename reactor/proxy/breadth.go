package proxy

import "strconv"

// MaxBreadth is the most that we let a request fork into, in all and downstream: the value that RFC 5393 5.3.3 recommends.
const MaxBreadth = 60

var breadthName = []byte("Max-Breadth")

// Breadth returns how many branches the request may become in all (RFC 5393 5), MaxBreadth at most. present is false
// where it does not say so, or what it says is no number.
func (c *Context) Breadth() (n int, present bool) {
	i := c.Msg.FindName(breadthName)
	if i < 0 {
		return MaxBreadth, false
	}
	n, err := strconv.Atoi(string(c.Msg.Bytes(c.Msg.Header(i).Value)))
	if err != nil || n < 0 {
		return MaxBreadth, false
	}
	return min(n, MaxBreadth), true
}

// SetBreadth has the request tell the next hop how many branches it may become there.
func (c *Context) SetBreadth(n int) { c.breadth = int32(n) }

// BreadthSet returns what SetBreadth has set; 0: nothing.
func (c *Context) BreadthSet() int { return int(c.breadth) }

// writeBreadth puts Max-Breadth into the message.
func (c *Context) writeBreadth() {
	if c.breadth == 0 {
		return
	}
	var text [24]byte
	i := c.Msg.FindName(breadthName)
	if i < 0 {
		b := append(append(text[:0], breadthName...), ": "...)
		b = append(strconv.AppendInt(b, int64(c.breadth), 10), crlf...)
		c.insert(c.Msg.HeadersEnd(), b)
		return
	}
	c.edit(c.Msg.Header(i).Value, strconv.AppendInt(text[:0], int64(c.breadth), 10))
	for i = c.Msg.FindNameNext(breadthName, i); i >= 0; i = c.Msg.FindNameNext(breadthName, i) { // there is to be one
		c.edit(c.Msg.Header(i).Line, nil)
	}
}
