package proxy

import (
	"strconv"

	"sipreactor/sipframe"
)

// What MaxForwards tells, numbered as mf_process_maxfwd_header numbers it.
const (
	HopsAdded   = 2  // there was no Max-Forwards; the request gets one
	HopsCounted = 1  // it had hops left and has one less now
	HopsOut     = -1 // it has none left
	HopsBroken  = -2 // its value is no number
)

// hopState is what has been done about Max-Forwards.
type hopState struct {
	result int16 // of MaxForwards; 0 = not called
	value  int16 // what to write
}

// MaxForwards does what RFC 3261 16.6 item 3 asks: it takes one hop off, or
// adds the header with limit (1 to 255) if there is none, and in either case
// keeps it to Config.HopLimit. Forward writes the
// outcome. A second call tells the same and changes nothing. A Router need not
// call it, Forward does; a request with HopsOut or HopsBroken is not forwarded.
func (c *Context) MaxForwards(limit int) int {
	if c.hops.result != 0 {
		return int(c.hops.result)
	}
	n, present, err := c.Msg.MaxForwards()
	switch {
	case err != nil:
		c.hops.result = HopsBroken
	case !present:
		c.hops = hopState{result: HopsAdded, value: int16(min(max(limit, 1), c.proxy.cfg.HopLimit))}
	case n <= 0:
		c.hops.result = HopsOut
	default:
		c.hops = hopState{result: HopsCounted, value: int16(min(n-1, c.proxy.cfg.HopLimit))}
	}
	return int(c.hops.result)
}

// HopsLeft gives Max-Forwards as it came; false if there is none or it is no
// number.
func (c *Context) HopsLeft() (int, bool) {
	n, present, err := c.Msg.MaxForwards()
	return n, present && err == nil
}

// writeHops puts the new Max-Forwards into the message.
func (c *Context) writeHops() {
	var text [24]byte
	switch c.hops.result {
	case HopsAdded:
		b := append(text[:0], "Max-Forwards: "...)
		b = append(strconv.AppendInt(b, int64(c.hops.value), 10), "\r\n"...)
		c.insert(c.Msg.HeadersEnd(), b)
	case HopsCounted:
		h := c.Msg.Header(c.Msg.Find(sipframe.HeaderMaxForwards))
		c.edit(h.Value, strconv.AppendInt(text[:0], int64(c.hops.value), 10))
	}
}
