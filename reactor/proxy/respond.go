package proxy

import (
	"errors"
	"net/netip"
	"strconv"

	"github.com/dchest/siphash"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// Errors of Respond.
var (
	ErrNotRequest = errors.New("proxy: not a request")
	ErrACK        = errors.New("proxy: an ACK gets no response")
	ErrAnswered   = errors.New("proxy: a final response has been sent")
	ErrCode       = errors.New("proxy: no status code")
	ErrRefused    = errors.New("proxy: the request is not in order")
)

// Respond answers the request, statelessly (RFC 3261 8.2.7): the same request
// gets the same response, To tag included. code is 100 to 699; an empty reason is
// the code's usual one, and control characters in it become spaces. It goes to
// where the topmost Via leads (RFC 3261 18.2.2, RFC 3581).
//
// The error is ErrACK, ErrAnswered, ErrCode, ErrNotRequest or ErrRefused, or what
// reactor.Worker.Send told.
func (c *Context) Respond(code int, reason []byte) error {
	switch {
	case !c.Msg.IsRequest():
		return ErrNotRequest
	case c.Msg.Method() == sipframe.ACK:
		return ErrACK
	case code < firstCode || code > lastCode:
		return ErrCode
	case c.answered && code >= 200:
		return ErrAnswered
	case c.mute:
		return ErrRefused
	}
	c.writeOwn(code, reason, c.transaction(), false)
	if code >= 200 {
		c.answered = true
		c.decided(code)
	}
	return c.sendOwn(code)
}

// OwnResponse returns the response that a Decided is told of, as it is about to be sent. It is valid in that call.
func (c *Context) OwnResponse() []byte { return c.written.b }

// AppendToResponse has the next responses carry more headers: lines "Name: value".
// They are repaired and checked as for AppendHeader.
func (c *Context) AppendToResponse(text []byte) error {
	from := len(c.extra)
	c.extra = tidy(c.extra, text)
	if !validHeaders(c.extra[from:]) {
		c.extra = c.extra[:from]
		return ErrHeader
	}
	return nil
}

// SetResponseBody has the next responses carry a body, in the place of one that was set before; its Content-Type is for
// AppendToResponse. Not the 100 that a transaction begins with, and not a response that has a body of its own.
func (c *Context) SetResponseBody(body []byte) { c.responseBody = append(c.responseBody[:0], body...) }

// SetToTag has the next responses carry a To tag of the Router's, where the request has none; empty: ours again. ErrHeader if
// it is no token.
func (c *Context) SetToTag(tag []byte) error {
	if !sipframe.IsToken(tag) && len(tag) > 0 {
		return ErrHeader
	}
	c.toTag = append(c.toTag[:0], tag...)
	return nil
}

// text is an Appender that is a pointer, so that handing it on costs no
// allocation.
type text struct{ b []byte }

func (t *text) AppendTo(dst []byte) []byte { return append(dst, t.b...) }

// writeOwn makes a response to the request (RFC 3261 8.2.6). forwarded tells that
// the request has our Via on top, which a response to its client has not. It needs
// Via, From, To, Call-ID and CSeq; validation has seen to those.
func (c *Context) writeOwn(code int, reason []byte, trans uint64, forwarded bool) {
	c.writeOwnBody(code, reason, nil, trans, forwarded)
}

func (c *Context) writeOwnBody(code int, reason, body []byte, trans uint64, forwarded bool) {
	m := c.Msg
	if body == nil {
		body = c.responseBody
	}
	b := append(c.written.b[:0], "SIP/2.0 "...)
	b = append(strconv.AppendInt(b, int64(code), 10), ' ')
	from := len(b)
	if b = append(b, reason...); len(reason) == 0 {
		b = append(b, reasonPhrase(code)...)
	}
	OneLine(b[from:])
	b = append(b, "\r\n"...)
	for i := range m.NumHeaders() {
		from := len(b)
		if b = c.copyHeader(b, i, code, trans, forwarded); len(b) > from {
			OneLine(b[from:])
			b = append(b, "\r\n"...)
		}
	}
	b = append(b, c.extra...)
	if code == 503 && c.overload {
		b = appendRetryAfter(b, trans)
	}
	if s := c.proxy.cfg.ServerHeader; s != "" {
		b = append(append(append(b, "Server: "...), s...), "\r\n"...)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(body)), 10)
	c.written.b = append(append(b, "\r\n\r\n"...), body...)
}

// Seconds of Retry-After (RFC 3261 20.33): from retryAfter on, spread over
// retrySpread, or those who were refused together would come back together.
const (
	retryAfter  = 2
	retrySpread = 8
)

// appendRetryAfter writes when to come again, the same for each retransmission
// of a transaction.
func appendRetryAfter(b []byte, trans uint64) []byte {
	b = append(b, "Retry-After: "...)
	return append(strconv.AppendUint(b, retryAfter+trans%retrySpread, 10), "\r\n"...)
}

// copyHeader writes the request's header i as the response has it, if it has it,
// without a line end.
func (c *Context) copyHeader(b []byte, i, code int, trans uint64, forwarded bool) []byte {
	m := c.Msg
	h := m.Header(i)
	value := m.Bytes(h.Value)
	switch h.Kind {
	case sipframe.HeaderVia:
		if i != m.Find(sipframe.HeaderVia) {
			break
		}
		if h.Value.Len == 0 {
			return b
		}
		if !forwarded {
			return c.appendTopVia(append(b, "Via: "...), h)
		}
		next, same, ok := viaBelow(m)
		if !ok || !same {
			return b
		}
		value = m.Raw()[next.Off:h.Value.End()]
	case sipframe.HeaderTo:
		b = append(append(b, "To: "...), value...)
		if to, err := m.To(); code > 100 && err == nil && to.Tag.Len == 0 {
			b = c.appendOwnTag(append(b, ";tag="...), trans)
		}
		return b
	case sipframe.HeaderFrom, sipframe.HeaderCallID, sipframe.HeaderCSeq:
	case sipframe.HeaderRecordRoute:
		if code <= 100 || code >= 300 || !makesDialog(m.Method()) {
			return b
		}
	default:
		// RFC 3261 8.2.6.1: a 100 copies it, so that the client can tell the delay.
		if code != 100 || !sipframe.EqualFold(m.Bytes(h.Name), "Timestamp") {
			return b
		}
	}
	b = append(b, m.Bytes(h.Name)...)
	return append(append(b, ": "...), value...)
}

// makesDialog tells whether a request of the method can begin a dialog, so that
// its positive responses carry the route set (RFC 3261 12.1.1).
func makesDialog(m sipframe.Method) bool {
	return m == sipframe.INVITE || m == sipframe.SUBSCRIBE || m == sipframe.REFER || m == sipframe.NOTIFY
}

// AppendToTag appends the To tag that responses of ours to the request have: its own, or ours.
func (c *Context) AppendToTag(dst []byte) []byte {
	if to, err := c.Msg.To(); err == nil && to.Tag.Len > 0 {
		return append(dst, c.Msg.Bytes(to.Tag)...)
	}
	return c.appendOwnTag(dst, c.transaction())
}

func (c *Context) appendOwnTag(dst []byte, trans uint64) []byte {
	if len(c.toTag) > 0 {
		return append(dst, c.toTag...)
	}
	return c.proxy.keys.appendTag(dst, trans)
}

// tagText is the length of the To tags that we make.
const tagText = 16

// appendTag writes the To tag of our responses in a transaction.
func (k *keys) appendTag(dst []byte, trans uint64) []byte {
	var raw [10]byte
	for i := range 8 {
		raw[i] = byte(trans >> (8 * i))
	}
	a, b := siphash.Hash128(k.tag[0], k.tag[1], raw[:8])
	for i := range 8 {
		raw[i] = byte(a >> (8 * i))
	}
	raw[8], raw[9] = byte(b), byte(b>>8)
	return appendBase32(dst, raw[:])
}

// sendOwn sends the response over the request's connection, or if that is gone,
// where its topmost Via leads.
func (c *Context) sendOwn(code int) error {
	err := c.sendBack(&c.written)
	if err != nil {
		c.count.add(ResponsesUndelivered)
		c.lost("response", c.Src.Remote, c.Src.Conn, err)
		return err
	}
	c.count.respond(code)
	if code == 503 && !c.overload {
		c.tellRefused()
	}
	return nil
}

// isGone tells whether a message was not sent because its connection has ended.
func isGone(err error) bool {
	var e *reactor.Error
	return errors.As(err, &e) && e.Reason == reactor.NoConnection
}

func (c *Context) sendBack(m reactor.Appender) error {
	src := c.Src
	if src.Proto != reactor.UDP && src.Conn != 0 {
		c.target = reactor.Target{Conn: src.Conn, Proto: src.Proto, Class: reactor.Final}
		err := c.send(m)
		if err == nil || !isGone(err) {
			return err
		}
	}
	via, _ := c.Msg.TopVia()
	if via == nil {
		return c.sendToSource(m)
	}
	return c.sendByVia(c.Msg.Raw(), via, c.cameFrom(via), m)
}

// cameFrom tells where the request at hand came from, with what its topmost Via asks for.
func (c *Context) cameFrom(via *sipframe.Via) back {
	src := c.Src
	to := back{source: netip.AddrPortFrom(src.Remote.Addr().Unmap(), 0), proto: src.Proto, verified: src.Verified}
	if via.HasRPort || c.forceRPort {
		to.source = netip.AddrPortFrom(to.source.Addr(), src.Remote.Port())
	}
	if li := c.ours.of(src.Socket); li != nil {
		to.socket = li.id
	}
	return to
}

// errNoWay: the connection that a request came by is gone, and its Via, which
// would lead back, cannot be read.
var errNoWay = errors.New("proxy: no Via that leads back")

// sendToSource answers a datagram whose Via cannot be read: by the socket that it
// came to, to the address and port that it came from.
func (c *Context) sendToSource(m reactor.Appender) error {
	src := c.Src
	if src.Proto != reactor.UDP {
		return errNoWay
	}
	c.target = reactor.Target{Proto: src.Proto, Addr: src.Remote, Socket: src.Socket, Class: reactor.Final}
	return c.send(m)
}
