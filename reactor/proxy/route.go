package proxy

import (
	"regexp"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// route is one value of a Route header.
type route struct {
	value  sipframe.Span // the name-addr
	header int           // its header's index
	gone   bool
}

// routeState is what preprocessing has found (RFC 3261 16.4).
type routeState struct {
	done   bool
	driven bool
	again  bool            // the destination was reset, or is the Router's: next counts where that names none
	params sipframe.Span   // parameters of the Route, or Request-URI, that was ours
	target sipframe.Span   // the Route that is the Request-URI, of a strict router; none: as it came
	next   sipframe.Span   // URI of the topmost Route that is left
	broken sipframe.Span   // the Route that is next, or the target, but cannot be followed
	strict sipframe.Span   // the Route that is next, of a strict router, while a destination of the Router's counts
	socket *reactor.Socket // that a Route of ours names
}

// LooseRoute does the preprocessing of RFC 3261 16.4, and tells whether the
// request is driven by its Route, as loose_route() does:
//
//   - A Request-URI that is a Record-Route of ours comes from a strict router:
//     the last Route takes its place.
//   - maddr that is us goes, with the port and transport it came with.
//   - A topmost Route that is us goes, with the second of a pair (;r2=on), and
//     the request leaves by the listener that the second one names.
//   - The Route that is on top then becomes the destination URI; if it is a
//     strict router's, it becomes the Request-URI and the old one the last Route
//     (RFC 3261 16.6 item 6).
//
// True: the message goes where its Route says, or belongs to a dialog whose
// Route was ours alone. Where that Route cannot be followed, Forward and Aim fail
// with ErrRoute, unless the Router names a destination or takes the Route out. False: there was no Route, or only one of ours in a
// request outside a dialog (preloaded).
//
// Only the first call does anything. Forward does the same for a Router that
// has not called it, without touching a destination that the Router set.
func (c *Context) LooseRoute() bool {
	c.preprocess(true)
	return c.routes.driven
}

// RouteParams gives the parameters, from the first ";" on, of the Route of ours
// that LooseRoute took out; nil if there was none.
func (c *Context) RouteParams() []byte {
	if c.routes.params.Len == 0 {
		return nil
	}
	return c.Msg.Bytes(c.routes.params)
}

// AppendOthersRoutes appends the Route values that are left and are not ours, joined by commas.
func (c *Context) AppendOthersRoutes(dst []byte) []byte {
	if !c.routes.done {
		c.loadRoutes()
	}
	begin := len(dst)
	for i := range c.routeList {
		r := &c.routeList[i]
		if r.gone {
			continue
		}
		var u sipframe.URI
		uri, _, ok := c.routeURI(r, &u)
		if !ok || c.IsMyself(u.Host.In(uri), u.Port) {
			continue
		}
		if len(dst) > begin {
			dst = append(dst, ", "...)
		}
		dst = append(dst, c.Msg.Bytes(r.value)...)
	}
	return dst
}

// CheckRouteParam tells whether the parameters of our own Route match re.
func (c *Context) CheckRouteParam(re *regexp.Regexp) bool {
	params := c.RouteParams()
	return params != nil && re.Match(params)
}

func (c *Context) preprocess(aim bool) {
	if c.routes.done || !c.Msg.IsRequest() {
		if aim && c.routes.strict.Len > 0 {
			c.strictAfterAll()
		}
		return
	}
	c.routes.done = true
	list := c.loadRoutes()
	second := false
	if ours, paired := c.strictAbove(list); ours {
		last := &list[len(list)-1]
		c.routes.driven = true
		var u sipframe.URI
		uri, place, ok := c.routeURI(last, &u)
		if !ok || c.SetRequestURI(uri) != nil {
			c.block(last, aim)
			return
		}
		last.gone, c.routes.target = true, place
		second = paired
	}
	c.stripMaddr()
	i := c.dropOwn(list, second)
	if next := firstLeft(list[i:]); next != nil {
		c.routes.driven = true
		c.follow(next, aim)
	} else if i > 0 {
		c.routes.driven = c.routes.driven || c.HasToTag()
	}
	c.cutRoutes(list)
}

// loadRoutes lists the Route values in order.
func (c *Context) loadRoutes() []route {
	list := c.routeList[:0]
	values := c.Msg.Routes()
	for v, ok := values.Next(); ok; v, ok = values.Next() {
		list = append(list, route{value: v, header: values.Header()})
	}
	c.routeList = list
	return list
}

// stripMaddr takes a maddr that is us out of the Request-URI, if the request
// came by the port and transport that the URI tells (RFC 3261 16.4).
func (c *Context) stripMaddr() {
	uri, u := c.RequestURI(), c.parsedURI()
	if u == nil {
		return
	}
	maddr, ok := u.Param(uri, "maddr")
	if !ok || !c.ours.mine(maddr, 0, 0) {
		return
	}
	proto := uriProto(uri, u)
	if proto != c.Src.Proto || c.proxy.portOr(uint16(u.Port), proto) != c.Src.Local.Port() {
		return
	}
	_ = c.changeURI(func(p *uriParts) { p.without, p.port = []byte("maddr"), 0 })
	_ = c.RemoveURIParam([]byte("transport"))
}

// dropOwn marks the topmost Route as gone if it is ours, with the second of a
// pair; second tells that the first of the pair stood in the Request-URI. It
// gives how many of the list are behind us.
func (c *Context) dropOwn(list []route, second bool) (n int) {
	for n < len(list) && !list[n].gone {
		var u sipframe.URI
		uri, place, ok := c.routeURI(&list[n], &u)
		if !ok || !c.isOwnRoute(uri, &u) {
			break
		}
		_, r2 := u.Param(uri, "r2")
		if n == 1 && !r2 {
			break
		}
		list[n].gone = true
		if n == 0 && u.Params.Len > 0 {
			c.routes.params = sipframe.Span{Off: place.Off + u.Params.Off - 1, Len: u.Params.Len + 1}
		}
		if n == 1 || second {
			c.leaveBy(uri, &u)
			n++
			break
		}
		n++
		if !r2 {
			break
		}
	}
	return n
}

// leaveBy has the request leave by the listener that a Route of ours names,
// unless the Router has chosen one.
func (c *Context) leaveBy(uri []byte, u *sipframe.URI) {
	proto := uriProto(uri, u)
	li := c.ours.find(u.Host.In(uri), c.proxy.portOr(uint16(u.Port), proto), proto)
	if li == nil {
		return
	}
	if c.routes.socket = li.socket; c.main.socket == nil {
		c.main.socket = li.socket
	}
}

// follow sets the next hop by a Route value, unless there is one already (aim).
func (c *Context) follow(r *route, aim bool) {
	var u sipframe.URI
	var h hop
	uri, place, ok := c.routeURI(r, &u)
	if !ok || h.fromURI(uri, &u) != nil { // nor is a transport that nobody here speaks
		c.block(r, aim)
		return
	}
	if _, lr := u.Param(uri, "lr"); lr {
		if c.routes.next, c.routes.again = place, !aim; aim {
			_ = c.SetDestURI(uri)
		}
		return
	}
	if !aim {
		c.routes.strict = r.value
		return
	}
	c.strictNext(uri, place)
	r.gone = true
}

// block notes that a Route cannot be followed; aim: nor does an earlier destination count.
func (c *Context) block(r *route, aim bool) {
	if c.routes.broken = r.value; aim {
		c.main.dst = c.main.dst[:0]
	}
}

// blocked tells whether the message still has a Route that it would have to follow, and cannot.
func (c *Context) blocked() bool {
	return c.routes.broken.Len > 0 && !cut(c.edits, c.routes.broken.Off)
}

// onward gives the URI of the Route that is next, where the destination that it was has been reset; nil: there is none.
func (c *Context) onward() []byte {
	if !c.routes.again || c.routes.next.Len == 0 || cut(c.edits, c.routes.next.Off) {
		return nil
	}
	return c.Msg.Bytes(c.routes.next)
}

// routeURI gives the URI of a Route value, where it stands in the message, and its
// parts in u; not ok: it cannot be read.
func (c *Context) routeURI(r *route, u *sipframe.URI) (uri []byte, place sipframe.Span, ok bool) {
	var a sipframe.NameAddr
	if c.Msg.NameAddr(r.value, &a) != nil || a.Star {
		return nil, place, false
	}
	uri = c.Msg.Bytes(a.URI)
	return uri, a.URI, sipframe.ParseURI(uri, u) == nil
}

// isOwnRoute tells whether a URI is one that we put, or could have put, into a
// Record-Route: our host, and our port and transport as far as it tells them.
func (c *Context) isOwnRoute(uri []byte, u *sipframe.URI) bool {
	proto := uriProto(uri, u)
	return u.Host.Len > 0 && c.ours.mine(u.Host.In(uri), c.proxy.portOr(uint16(u.Port), proto), 0)
}

// uriProto gives the transport that a URI tells, by its parameter or default.
func uriProto(uri []byte, u *sipframe.URI) reactor.Proto {
	proto := reactor.UDP
	if t, ok := u.Param(uri, "transport"); ok {
		if said, known := reactor.ParseProto(t); known {
			proto = said
		}
	}
	if u.Scheme == sipframe.SchemeSIPS {
		return proto.Secured()
	}
	return proto
}

func firstLeft(list []route) *route {
	for i := range list {
		if !list[i].gone {
			return &list[i]
		}
	}
	return nil
}
