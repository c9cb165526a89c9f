package proxy

import "sipreactor/sipframe"

// SetRoutes has the request go by other Routes than it came with, ours included:
// values joined by commas, the first one of which is the next hop; empty takes all
// away. ErrURI if the first one cannot be read, ErrHeader if the values could not
// stand on one line.
func (c *Context) SetRoutes(values []byte) error {
	if !c.Msg.IsRequest() {
		return ErrNotRequest
	}
	c.preprocess(false)
	var next []byte
	if len(values) > 0 {
		var a sipframe.NameAddr
		list := sipframe.SplitList(values)
		first, _ := list.Next()
		if sipframe.ParseNameAddr(first, &a) != nil {
			return ErrURI
		}
		next = a.URI.In(first)
	}
	if err := c.main.SetPath(values); err != nil {
		return err
	}
	for i := c.Msg.Find(sipframe.HeaderRoute); i >= 0; i = c.Msg.FindNext(sipframe.HeaderRoute, i) {
		line := c.Msg.Header(i).Line
		left := c.edits[:0]
		for _, e := range c.edits {
			if e.off < line.Off || e.end > line.End() {
				left = append(left, e)
			}
		}
		c.edits = left
		c.edit(line, nil)
	}
	return c.SetDestURI(next)
}

// cutRoutes takes the values that are gone out of the message: whole lines
// where all values are gone, else values with a comma each.
func (c *Context) cutRoutes(list []route) {
	for len(list) > 0 {
		n, gone := 0, 0
		for n < len(list) && list[n].header == list[0].header {
			if list[n].gone {
				gone++
			}
			n++
		}
		group := list[:n]
		list = list[n:]
		line := c.Msg.Header(group[0].header)
		switch {
		case gone == 0:
		case gone == n:
			c.edit(line.Line, nil)
		default:
			first, last := 0, n-1
			for group[first].gone {
				first++
			}
			for group[last].gone {
				last--
			}
			if first > 0 {
				c.edit(between(group[0].value.Off, group[first].value.Off), nil)
			}
			if last < n-1 {
				c.edit(between(group[last].value.End(), group[n-1].value.End()), nil)
			}
		}
	}
}
