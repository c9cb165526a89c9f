package proxy

import (
	"errors"
	"fmt"
	"net/netip"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/sipframe"
)

// Errors of Forward and Send, wrapped in an *Error where a destination failed.
var (
	// ErrTransport: the next hop's transport is none of ours (SCTP ...), or
	// UDP with sips.
	ErrTransport = errors.New("proxy: transport is not supported")
	// ErrNoSocket: no listener has the next hop's transport and address family.
	ErrNoSocket = errors.New("proxy: no listener to send from")
	// ErrRequestURI: the Request-URI that the peer sent names no place that we could send
	// to. It comes with ErrURI or ErrTransport.
	ErrRequestURI = errors.New("proxy: the Request-URI names no next hop")
	// ErrRoute: the Route to follow cannot be read, or names no place.
	ErrRoute = errors.New("proxy: a Route that cannot be followed")
	// ErrHops: Max-Forwards is spent. The request has been answered 483.
	ErrHops = errors.New("proxy: too many hops")
	// ErrForwarded: the request has been forwarded already; a stateless proxy
	// does not fork (RFC 3261 16.11).
	ErrForwarded = errors.New("proxy: already forwarded")
	// ErrBroken: with the Router's changes, or without a Content-Length on a
	// stream, the message would be none any more.
	ErrBroken = errors.New("proxy: the changed message is broken")
	// ErrTooLarge: with what we add, the message would be larger than
	// Config.MaxMessageSize. The request has been answered 513.
	ErrTooLarge = errors.New("proxy: the message has grown too large")
)

// Error is why a message could not be sent to a destination.
type Error struct {
	// Dest is the destination as the Router or the message named it.
	Dest string
	// Err is the cause: one of this package's errors, or a *reactor.Error when a
	// connection failed.
	Err error
}

// Error gives "destination: cause".
func (e *Error) Error() string { return e.Dest + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Forward sends the request on (RFC 3261 16.6, 16.11), to dest if it is not
// empty, else to the destination URI, else by the topmost Route, else by the
// Request-URI. dest is "host[:port]", "proto:host[:port]" or a SIP URI. A name
// with several addresses is tried address after address. One Max-Forwards is
// counted if the Router has not done that.
//
// nil: a connection has taken the message, perhaps one that is still being
// opened; should that fail later, the request goes to the next address of the
// same name, and behind the last one the proxy answers 503. An error (*Error, or
// ErrNotRequest, ErrForwarded) means that nothing was sent: the Router may try
// the next destination or respond. If it does neither, the proxy answers 503, and 400
// for ErrRoute and ErrRequestURI: those are the peer's doing, and another proxy would not
// get further (a 503 would have the peer leave us alone, RFC 3263 4.3).
// With ErrHops (483) and ErrTooLarge (513) the answer is given already.
func (c *Context) Forward(dest []byte) error {
	switch {
	case !c.Msg.IsRequest():
		return ErrNotRequest
	case c.forwarded:
		return ErrForwarded
	case c.hide.on && c.Msg.Method() != sipframe.ACK:
		return ErrStateless
	}
	if c.MaxForwards(c.proxy.cfg.MaxForwards) < 0 {
		c.count.add(HopsSpent)
		_ = c.Respond(483, nil) // an ACK gets none and ends here
		return c.failed(dest, ErrHops)
	}
	c.decided(0)
	c.preprocess(len(dest) == 0 && len(c.main.dst) == 0)
	defer c.stepOut()
	var h hop
	dest, answer, err := c.destinations(dest, &h)
	if err != nil {
		return c.failed(dest, err)
	}
	answer = c.fitting(answer)
	w, last := c.plot(&h, answer), error(nil)
	order, first := c.start(w)
	for n := range order.Len() {
		i := order.At((first + n) % order.Len())
		if n > 0 {
			c.proxy.dead(answer.Targets[order.At((first+n-1)%order.Len())].EndPoint, last)
		}
		if w != nil {
			c.goes(w, c.transaction(), i)
		}
		last = c.forwardTo(&h, w, i, answer.Targets[i].EndPoint)
		if last == nil {
			c.forwarded, c.failure = true, nil
			c.count.add(RequestsOut)
			return nil
		}
		if errors.Is(last, ErrTooLarge) {
			_ = c.Respond(513, nil)
			return c.failed(dest, last)
		}
		if err == nil || !errors.Is(last, ErrNoSocket) { // which says less than a connection that failed
			err = last
		}
	}
	if w != nil && c.Msg.Method() == sipframe.INVITE {
		c.proxy.went.forget(c.transaction())
	}
	return c.failed(dest, err)
}

// Send hands the message to a destination as it came, without a Via and without
// the Router's changes (but its head's lines end in CRLF): no response to it finds its way back through us. dest is
// as for Forward. It does not count as an answer. headers, lines as for
// AppendHeader, go behind its last header; nil are none.
func (c *Context) Send(dest, headers []byte) error {
	defer c.stepOut()
	var h hop
	dest, answer, err := c.destinations(dest, &h)
	if err != nil {
		return c.failed(dest, err)
	}
	if err := c.writeAsIs(headers); err != nil {
		return c.failed(dest, err)
	}
	w := c.plot(&h, answer)
	order := c.order(answer, c.proxy.keys.dialogSeed(c.Msg))
	for n := range order.Len() {
		i := order.At(n)
		to := answer.Targets[i].EndPoint
		if needsLength(to.Proto) && c.Msg.Find(sipframe.HeaderContentLength) < 0 {
			err = ErrBroken // a stream's peer could not tell where it ends
			continue
		}
		li := c.outgoing(to.Proto, to.Addr)
		if li == nil {
			err = ErrNoSocket
			continue
		}
		if err = c.admits(c.blacklists, to, &c.rewrite); err != nil {
			continue
		}
		c.aim(&h, to, li.socket)
		c.target.Class = c.class()
		w.mark(&c.target, i)
		if err = c.send(&c.rewrite); err == nil {
			c.failure = nil
			c.count.add(SentAsIs)
			return nil
		}
	}
	return c.failed(dest, err)
}

// destinations fills in the next hop and gives what it was read from, and its targets.
func (c *Context) destinations(dest []byte, h *hop) ([]byte, *names.Answer, error) {
	if c.refused {
		return dest, nil, ErrRefused
	}
	dest, err := c.nextHop(dest, h)
	if err != nil {
		return dest, nil, err
	}
	answer, err := c.resolve(h)
	if err != nil && !errors.Is(err, names.ErrBusy) { // which is our doing
		c.tellFailed(h.fallback(c.ours, c.main.socket, c.Src.Proto), netip.AddrPort{}, c.names.get(h.name), err)
	}
	return dest, answer, err
}

// nextHop reads the destination, where the Router names none that of RFC 3261
// 16.6 item 7, and gives what it was read from.
func (c *Context) nextHop(dest []byte, h *hop) ([]byte, error) {
	switch {
	case len(dest) > 0:
	case len(c.main.dst) > 0:
		dest = c.main.dst
	case c.blocked():
		return c.Msg.Bytes(c.routes.broken), ErrRoute
	case len(c.onward()) > 0:
		dest = c.onward()
	default:
		dest = c.RequestURI()
		u := c.parsedURI()
		if u == nil {
			return dest, ErrURI
		}
		err := h.fromURI(dest, u)
		if err != nil && len(c.main.uri) == 0 {
			err = fmt.Errorf("%w: %w", ErrRequestURI, err)
		}
		return dest, err
	}
	return dest, parseHop(dest, h)
}

// failed notes that a destination failed and gives the error to return.
func (c *Context) failed(dest []byte, err error) error {
	c.count.add(ForwardsFailed)
	c.failure = &Error{Dest: string(dest), Err: err}
	return c.failure
}

// aim sets the target to an end point of a hop.
func (c *Context) aim(h *hop, to reactor.EndPoint, from *reactor.Socket) {
	name := c.sipDomain
	if name == "" {
		name = c.names.get(h.name)
	}
	c.target = reactor.Target{
		Conn: c.main.flow, Proto: to.Proto, Addr: to.Addr, Name: name, Domain: c.domain, Socket: from, NoNew: c.mayNotOpen(),
	}
	if c.main.bound {
		c.target.Addr = netip.AddrPort{}
	}
}

// class is what the message is to a send queue that is about to be full.
func (c *Context) class() reactor.Class {
	switch {
	case !c.Msg.IsRequest() || c.Msg.Method() == sipframe.ACK:
		return reactor.Final
	case c.Msg.Method() == sipframe.CANCEL || c.HasToTag():
		return reactor.LaterRequest
	}
	return reactor.NewRequest
}

// forwardTo writes the request for one target, the i-th of its course, and sends
// it.
func (c *Context) forwardTo(h *hop, w *course, i int, to reactor.EndPoint) error {
	li := c.outgoing(to.Proto, to.Addr)
	if li == nil {
		return ErrNoSocket
	}
	if err := c.buildRequest(c.spokenAs(c.voice(li, to.Addr))); err != nil {
		return err
	}
	if err := c.admits(c.blacklists, to, &c.rewrite); err != nil {
		return err
	}
	c.aim(h, to, li.socket)
	c.target.Class = c.class()
	w.mark(&c.target, i)
	err := c.send(&c.rewrite)
	c.tellSent(err)
	return err
}

var (
	viaName    = []byte("Via: ")
	rportParam = []byte(";rport")
)

// buildRequest writes the changes that make the request what leaves by li. The
// Router's own ones stay for the next try.
func (c *Context) buildRequest(li *listener) error {
	c.makeBranch()
	mine, text := len(c.edits), len(c.arena)
	defer func() { c.edits, c.arena = c.edits[:mine], c.arena[:text] }()

	if len(c.main.uri) > 0 {
		c.edit(c.Msg.RequestURISpan(), c.main.uri)
	}
	line := c.Msg.HeadersOffset() // of a request of ours
	top, err := c.Msg.TopVia()
	if i := c.Msg.Find(sipframe.HeaderVia); i >= 0 {
		if err != nil {
			return err
		}
		line = c.Msg.Header(i).Line.Off
	}
	var at [clockText]byte
	var asks []byte
	if c.localRPort {
		asks = rportParam
	}
	c.insert(line, viaName, li.via, c.token.branch[:],
		c.proxy.keys.appendClock(at[:0], c.clockNow(), &c.token.whole), asks, crlf)
	if c.rr.on && !c.hide.on {
		c.insert(c.rrOffset(), c.recordRoutes(li))
	}
	c.insertPath()
	if c.ownPath.on {
		c.insert(c.pathOffset(), c.paths(li))
	}
	switch {
	case c.hide.on:
		c.hideWay(li)
	case top != nil:
		c.stampVia(top)
	}
	c.writeHops()
	c.writeBreadth()
	return c.write(li.socket.Proto)
}
