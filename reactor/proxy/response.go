package proxy

import (
	"errors"
	"net/netip"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// response handles a response: RFC 3261 16.7 as far as 16.11 leaves it to a
// stateless proxy, and 18.1.2.
func (c *Context) response() {
	c.Msg.Validate(&c.verdict)
	via, err := c.Msg.TopVia()
	if c.verdict.Code != 0 || c.verdict.Drop || err != nil {
		c.count.add(ResponsesBroken)
		c.count.defects.Add(c.verdict.Reason)
		return
	}
	t := &c.answer
	host := c.Msg.Bytes(via.Host)
	if !c.ours.mine(host, uint16(via.Port), 0) && !c.proxy.claims.has(host) ||
		!c.proxy.keys.openBranch(c.Msg.Bytes(via.Branch), t) {
		c.count.add(ResponsesForeign)
		return
	}
	c.tellCame()
	sent, known := c.proxy.keys.readClock(c.Msg.Bytes(via.Params), t)
	if t.stateful && c.statefulResponse(t, sent, known) {
		return
	}
	client, same, ok := viaBelow(c.Msg)
	if !ok {
		c.count.add(ResponsesForUs)
		return
	}
	if !c.matches(t, sent, client) {
		c.count.add(ResponsesMismatched)
		return
	}
	_, method, _ := c.Msg.CSeq()
	c.tellAnswer(method, sent, known)
	c.proxy.Router().Response(c)
	if c.drop && c.Msg.StatusCode() < 200 {
		c.count.add(ResponsesDropped)
		return
	}
	mine := len(c.edits)
	err = c.buildResponse(t.proto, client, same)
	if err != nil && mine > 0 {
		// The client waits for it: it goes on without the Router's changes.
		c.lost("changes of a response", c.asker(client), t.conn, err)
		c.edits, c.replaced, c.bodyEdited = c.edits[:0], false, false
		err = c.buildResponse(t.proto, client, same)
	}
	if err == nil {
		err = c.deliver(t, client, &c.rewrite)
	}
	if err != nil {
		c.count.add(ResponsesUndelivered)
		c.lost("response", c.asker(client), t.conn, err)
		return
	}
	c.count.add(ResponsesOut)
}

// matches tells whether the message belongs to the request that our branch t is
// of: whether it has its Call-ID, CSeq and From tag, and the client's Via
// with the address that the request came from. The Via is read into c.client.
func (c *Context) matches(t *token, sent clock, client sipframe.Span) bool {
	b, via := c.Msg.Bytes(client), &c.client
	if sipframe.ParseVia(b, via) != nil {
		return false
	}
	addr, ok := viaSource(b, via)
	return ok && c.checks(t, sent, b, via, addr)
}

// checks compares the message's hash with that of the request; via is nil where that left without the client's.
func (c *Context) checks(t *token, sent clock, b []byte, via *sipframe.Via, addr netip.Addr) bool {
	if sent.edited {
		return c.clientHash(b, via, addr) == sent.bits
	}
	return c.checkHash(t.toTag, b, via, addr) == t.check
}

// viaBelow gives the Via value below the topmost, and whether it stands in the
// same header.
func viaBelow(m *sipframe.Message) (via sipframe.Span, same, ok bool) {
	first := m.Find(sipframe.HeaderVia)
	if top, err := m.TopVia(); err == nil && top.LastOnLine {
		if i := m.FindNext(sipframe.HeaderVia, first); i >= 0 {
			if next := m.Header(i).Value; next.Len > 0 && next.In(m.Raw())[0] != ',' {
				return next, false, true // may be several; a Via is parsed as the first
			}
		}
	}
	values := m.Values(sipframe.HeaderVia)
	values.Next()
	via, ok = values.Next()
	return via, values.Header() == first, ok
}

// buildResponse writes the changes that make the response what leaves: our Via
// goes, the Router's changes come. client is the Via below ours, same tells that
// the two share a header.
func (c *Context) buildResponse(proto reactor.Proto, client sipframe.Span, same bool) error {
	h := c.Msg.Header(c.Msg.Find(sipframe.HeaderVia))
	if same {
		c.edit(between(h.Value.Off, client.Off), nil)
	} else {
		c.edit(h.Line, nil)
	}
	return c.write(proto)
}

// deliver sends a response to where its request came from: over the connection
// that our branch names, and if that is gone, there was none or it was another
// process's, by the client's Via (RFC 3261 18.2.2), which is the span of the
// Context's message that matches has read.
func (c *Context) deliver(t *token, client sipframe.Span, m reactor.Appender) error {
	if t.conn != 0 && t.life == c.proxy.life {
		c.target = reactor.Target{Conn: t.conn, Proto: t.proto, Class: reactor.Final}
		err := c.send(m)
		if err == nil || !isGone(err) {
			return err
		}
	}
	b, via := c.Msg.Bytes(client), &c.client
	addr, _ := viaSource(b, via)
	return c.sendByVia(b, via, back{
		source: netip.AddrPortFrom(addr, viaRPort(b, via)), proto: t.proto, socket: t.socket, verified: t.verified,
	}, m)
}

// asker is where a request came from, as the client's Via tells; the port is 0 if
// rport was not asked for.
func (c *Context) asker(client sipframe.Span) netip.AddrPort {
	b := c.Msg.Bytes(client)
	addr, _ := viaSource(b, &c.client)
	return netip.AddrPortFrom(addr, viaRPort(b, &c.client))
}

// errVia: the Via that a response would go by is not the one that the request
// came with. Whoever answers could otherwise send the response anywhere.
var errVia = errors.New("proxy: the client's Via has been changed")

// back is where a request came from, as far as a response without a connection
// needs it.
type back struct {
	source   netip.AddrPort // the port is 0 if rport was not asked for
	proto    reactor.Proto
	socket   uint16 // listener.id
	verified bool   // the client showed a certificate that was verified
}

// sendByVia sends to where a Via leads (RFC 3261 18.2.2, RFC 3581 4): to the
// address that the request came from, with the sent-by's port; over UDP with the
// port that rport tells. What else the client has written there (maddr, and the
// sent-by's name if a stream cannot be had) counts only as Config.ViaFallback
// says: it would have us connect anywhere.
func (c *Context) sendByVia(b []byte, via *sipframe.Via, to back, m reactor.Appender) error {
	p := c.proxy
	h := hop{proto: to.proto, name: via.Host.In(b), host: via.Host.In(b), port: uint16(via.Port)}
	addr := c.viaAddr(b, via, to)
	trusted := p.trusts(to)
	li := c.ours.at(to.socket)
	if li == nil {
		li = c.ours.pick(to.proto, addr.Addr(), nil, nil)
	}
	var from *reactor.Socket
	if li != nil {
		from = li.socket
	}
	c.aimBack(&h, reactor.EndPoint{Proto: to.proto, Addr: addr}, from)
	err := c.send(m)
	if err == nil || to.proto == reactor.UDP || !trusted || !h.settle() || h.addr.IsValid() {
		return err
	}
	defer c.stepOut()
	answer, err := c.resolve(&h)
	if err != nil {
		return err
	}
	order := answer.Order(0)
	for i := range order.Len() {
		c.aimBack(&h, answer.Targets[order.At(i)].EndPoint, from)
		if err = c.send(m); err == nil {
			return nil
		}
	}
	return err
}

// aimBack sets the target of a response to an end point.
func (c *Context) aimBack(h *hop, to reactor.EndPoint, from *reactor.Socket) {
	c.aim(h, to, from)
	c.target.Conn, c.target.Addr = 0, to.Addr                                                // the request's own way may be a connection
	c.target.NoNew, c.target.Class = c.responseMayNotOpen() || to.Proto.Web(), reactor.Final // nobody listens behind a browser
}

// trusts tells whether what a client's Via says beside its address counts.
func (p *Proxy) trusts(to back) bool {
	return p.cfg.ViaFallback.allows(to.verified, to.source.Addr(), p.cfg.ViaFallbackPeers)
}

// viaAddr gives the address that a Via leads to, but for the name in it.
func (c *Context) viaAddr(b []byte, via *sipframe.Via, to back) netip.AddrPort {
	addr := netip.AddrPortFrom(to.source.Addr(), c.proxy.portOr(uint16(via.Port), to.proto))
	if to.proto != reactor.UDP {
		return addr
	}
	param, _ := sipframe.FindParam(via.Params.In(b), "maddr")
	maddr, ok := parseAddr(param)
	switch {
	case to.source.Port() != 0:
		return to.source
	case ok && !maddr.IsMulticast() && (c.proxy.trusts(to) || maddr.Unmap() == addr.Addr()):
		return netip.AddrPortFrom(maddr.Unmap(), addr.Port())
	default:
		return addr
	}
}

// viaSource gives the address that a request with the Via came from: whoever
// got it has noted it in received where the sent-by is another.
func viaSource(b []byte, via *sipframe.Via) (netip.Addr, bool) {
	host := via.Host.In(b)
	if via.Received.Len > 0 {
		host = via.Received.In(b)
	}
	addr, ok := parseAddr(host)
	return addr.Unmap(), ok
}

// viaRPort gives the port that rport tells, 0 if it tells none.
func viaRPort(b []byte, via *sipframe.Via) uint16 {
	port, _ := parsePort(via.RPortValue.In(b))
	return port
}

// ErrStatus: a response cannot be given this status. A provisional one and a 2xx
// mean something to who passes them on, so their class stays.
var ErrStatus = errors.New("proxy: the status of this response cannot be changed so")

// SetStatus has the response leave with another status code and reason phrase; an
// empty one is the code's usual one, and control characters in it become spaces. A
// response below 300 keeps its class, and none gets one below 300.
func (c *Context) SetStatus(code int, reason []byte) error {
	was := c.Msg.StatusCode()
	if was == 0 || code < firstCode || code > lastCode || (was < 300 || code < 300) && was/100 != code/100 {
		return ErrStatus
	}
	if len(reason) == 0 {
		reason = []byte(reasonPhrase(code))
	}
	at := between(c.Msg.VersionSpan().End(), c.Msg.FirstLine().End())
	for i, e := range c.edits { // the last one counts
		if e.off == at.Off && e.end == at.End() {
			c.edits = append(c.edits[:i], c.edits[i+1:]...)
			break
		}
	}
	text := append(strconv.AppendInt(append(c.scratch[:0], ' '), int64(code), 10), ' ')
	text = append(text, reason...)
	OneLine(text)
	c.edit(at, text)
	c.scratch = text
	return nil
}
