package proxy

import "sipreactor/sipframe"

// What strict routers (RFC 2543) do to a request, and want of one: RFC 3261 16.4 and 16.6 item 6.

// strictAbove tells whether the Request-URI is a Record-Route of ours, which
// means that a strict router sent the request, and whether it is one of a pair.
func (c *Context) strictAbove(list []route) (ours, paired bool) {
	uri := c.Msg.RequestURI()
	u, err := c.Msg.URI()
	if len(list) == 0 || err != nil || u.User.Len > 0 && !c.proxy.cfg.RecordUser || !c.isOwnRoute(uri, u) {
		return false, false
	}
	if _, lr := u.Param(uri, "lr"); !lr {
		return false, false
	}
	_, paired = u.Param(uri, "r2")
	return true, paired
}

// strictNext makes a strict router the target, by the URI of its Route, which goes. The old target goes behind all other
// Routes.
func (c *Context) strictNext(uri []byte, place sipframe.Span) {
	c.insert(c.Msg.HeadersEnd(), []byte("Route: <"), c.RequestURI(), []byte(">\r\n"))
	_ = c.SetRequestURI(uri)
	c.routes.target = place
	c.main.dst = c.main.dst[:0]
}

// strictAfterAll does that for a Route that was left alone as long as the Router had a destination of its own. What stands
// before it in its header was ours, and is gone.
func (c *Context) strictAfterAll() {
	value := c.routes.strict
	c.routes.strict = sipframe.Span{}
	if cut(c.edits, value.Off) {
		return
	}
	list := c.loadRoutes()
	at := 0
	for list[at].value != value {
		at++
	}
	first := at
	for first > 0 && list[first-1].header == list[at].header {
		first--
	}
	var u sipframe.URI
	uri, place, _ := c.routeURI(&list[at], &u) // it was read before
	line := c.Msg.Header(list[at].header).Line
	c.forget(line)
	if at+1 < len(list) && list[at+1].header == list[at].header {
		c.edit(between(list[first].value.Off, list[at+1].value.Off), nil)
	} else {
		c.edit(line, nil)
	}
	c.strictNext(uri, place)
}
