package proxy

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/sipframe"
)

// tokenState is what the message's token is made of, as far as it was needed:
// responses need the transaction, only forwarding needs the branch.
type tokenState struct {
	trans    uint64
	whole    token
	branch   [branchText]byte
	known    bool // trans is set
	branched bool // whole and branch are set
}

// ForceRPort has the port that the request came from noted in its Via, as if
// the client had asked for that (RFC 3581). It does nothing to a response.
func (c *Context) ForceRPort() { c.forceRPort = true }

// AddLocalRPort has our own Via ask the next hop to note the port that the request
// comes from (RFC 3581 3).
func (c *Context) AddLocalRPort() { c.localRPort = true }

// makeBranch computes the branch for the request (RFC 3261 16.11).
func (c *Context) makeBranch() {
	if c.token.branched {
		return
	}
	c.token.branched = true
	t := &c.token.whole
	*t = token{trans: c.transaction(), loop: c.loopHash(), proto: c.Src.Proto, verified: c.Src.Verified}
	if t.proto != reactor.UDP {
		t.conn, t.life = c.Src.Conn, c.proxy.life
	}
	if li := c.ours.of(c.Src.Socket); li != nil {
		t.socket = li.id
	}
	if to, err := c.Msg.To(); err == nil && to.Tag.Len > 0 && !inviteFamily(c.Msg.Method()) {
		t.toTag = true // the ACK to a negative response has a tag that its INVITE had not
	}
	t.check = c.checkHash(t.toTag, c.Msg.Raw(), c.viaShown(), c.Src.Remote.Addr())
	c.proxy.keys.appendBranch(c.token.branch[:0], t)
}

// clockNow gives what our Via is to say beside its branch.
func (c *Context) clockNow() clock {
	if c.renamed {
		return clock{bits: c.clientHash(c.Msg.Raw(), c.viaShown(), c.Src.Remote.Addr()), edited: true}
	}
	return clock{bits: c.proxy.now()}
}

// viaShown returns the client's Via, which a response to the request brings along; nil: the request came with none, or
// leaves without it.
func (c *Context) viaShown() *sipframe.Via {
	if c.hide.on {
		return nil
	}
	via, _ := c.Msg.TopVia()
	return via
}

// transaction hashes what the messages of a transaction have in common: with a
// branch of RFC 3261 the topmost branch and sent-by, and in case a client uses
// a branch twice, Call-ID, From tag and CSeq number. Without one also the
// Request-URI and the To tag; but the latter not for INVITE, CANCEL and ACK,
// since an ACK to a negative response has a tag that its INVITE had not
// (17.1.1.3). What SetOldMatching leaves out does not count then.
func (c *Context) transaction() uint64 {
	if c.token.known {
		return c.token.trans
	}
	m := c.Msg
	b := c.scratch[:0]
	via, _ := m.TopVia()
	if via != nil {
		branch := m.Bytes(via.Branch)
		old := !hasCookie(branch)
		if !old || !c.proxy.anyVia.Load() {
			b = appendField(b, branch)
			b = appendField(b, m.Bytes(via.Host))
			b = binary.BigEndian.AppendUint16(b, uint16(via.Port))
		}
		if old {
			if !c.proxy.anyURI.Load() {
				b = appendField(b, m.RequestURI())
			}
			if to, err := m.To(); err == nil && !inviteFamily(m.Method()) {
				b = appendField(b, m.Bytes(to.Tag))
			}
		}
	}
	b = appendDialog(b, m)
	c.scratch = b
	c.token.trans, c.token.known = hash(&c.proxy.keys.trans, b), true
	return c.token.trans
}

// dialogSeed is what the order of targets is drawn from for a message that is sent
// as it is: equal for those of one dialog, and for the message when it comes back.
func (k *keys) dialogSeed(m *sipframe.Message) uint64 {
	return hash(&k.trans, m.CallID())
}

// loopHash hashes what decides about the way of the request (RFC 5393 4.2.1):
// Request-URI, Routes, listener and source address (its own address, too: another
// node may have the same secret). What a CANCEL or an ACK has
// not in common with its INVITE (To tag, credentials) is left out, as the
// branch has to be the same.
func (c *Context) loopHash() uint64 {
	m := c.Msg
	b := appendField(c.scratch[:0], m.RequestURI())
	for i := m.Find(sipframe.HeaderRoute); i >= 0; i = m.FindNext(sipframe.HeaderRoute, i) {
		b = appendField(b, m.Bytes(m.Header(i).Value))
	}
	b = appendDialog(b, m)
	b = append(b, byte(c.Src.Proto))
	b = binary.BigEndian.AppendUint16(b, c.Src.Local.Port())
	for _, a := range [2]netip.Addr{c.Src.Local.Addr(), c.Src.Remote.Addr()} {
		addr := a.As16()
		b = append(b, addr[:]...)
	}
	c.scratch = b
	return hash(&c.proxy.keys.loop, b) & loopMask
}

// checkHash hashes what a response has to have in common with its request: the
// Via of the client, whose address is addr, unless it is nil, and what names the
// transaction.
func (c *Context) checkHash(toTag bool, b []byte, via *sipframe.Via, addr netip.Addr) uint32 {
	in := c.scratch[:0]
	if via != nil {
		in = appendClient(in, b, via, addr)
	}
	in = appendMethod(appendDialog(in, c.Msg), c.Msg)
	if to, err := c.Msg.To(); toTag && err == nil {
		in = appendField(in, c.Msg.Bytes(to.Tag))
	}
	c.scratch = in
	return uint32(hash(&c.proxy.keys.check, in))
}

// clientHash hashes the client's Via and its address, unless it is nil, and the method alone. 39 bits.
func (c *Context) clientHash(b []byte, via *sipframe.Via, addr netip.Addr) uint64 {
	in := c.scratch[:0]
	if via != nil {
		in = appendClient(in, b, via, addr)
	}
	c.scratch = appendMethod(in, c.Msg)
	return hash(&c.proxy.keys.clock, c.scratch) & clockMask
}

func appendClient(dst, b []byte, via *sipframe.Via, addr netip.Addr) []byte {
	dst = appendField(dst, via.Branch.In(b))
	dst = appendField(dst, via.Host.In(b))
	dst = binary.BigEndian.AppendUint16(dst, uint16(via.Port))
	a := addr.As16()
	return append(dst, a[:]...)
}

func appendDialog(b []byte, m *sipframe.Message) []byte {
	b = appendField(b, m.CallID())
	if from, err := m.From(); err == nil {
		b = appendField(b, m.Bytes(from.Tag))
	}
	n, _, _ := m.CSeq()
	return binary.BigEndian.AppendUint32(b, n)
}

// appendMethod writes the method that CSeq tells. An INVITE and its CANCEL, which
// have one branch, read the same; nothing answers an ACK.
func appendMethod(b []byte, m *sipframe.Message) []byte {
	_, method, _ := m.CSeq()
	if inviteFamily(sipframe.MethodOf(method)) && (m.IsRequest() || string(method) != "ACK") {
		method = nil
	}
	return appendField(b, method)
}

// appendField writes a field with its length, so that no two lists of fields
// read the same.
func appendField(dst, field []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(field)))
	return append(dst, field...)
}

func inviteFamily(m sipframe.Method) bool {
	return m == sipframe.INVITE || m == sipframe.ACK || m == sipframe.CANCEL
}

// looped tells whether the request has been here before and would be routed as
// it was then (RFC 3261 16.3 item 4, RFC 5393).
func (c *Context) looped() bool {
	first := c.Msg.Find(sipframe.HeaderVia)
	top, _ := c.Msg.TopVia()
	if top.LastOnLine && !looksOurs(c.Msg.Bytes(top.Branch)) && c.Msg.FindNext(sipframe.HeaderVia, first) < 0 {
		return false // most requests come straight from a client
	}
	var t token
	var mine uint64
	known := false
	values := c.Msg.Values(sipframe.HeaderVia)
	for {
		span, ok := values.Next()
		if !ok {
			return false
		}
		var via sipframe.Via
		if c.Msg.ViaAt(span, &via) != nil || !looksOurs(c.Msg.Bytes(via.Branch)) {
			continue
		}
		if !c.proxy.keys.openBranch(c.Msg.Bytes(via.Branch), &t) {
			continue
		}
		if !known {
			mine, known = c.loopHash(), true
		}
		if t.loop == mine {
			return true
		}
	}
}

// stamp tells what the topmost Via of a request needs: received with the
// source's address if the sent-by is another (RFC 3261 18.2.1) or rport is
// there (RFC 3581 4) or a received is there already, which we do not take the
// client's word for; rport with the source's port if asked.
type stamp struct {
	received, rport bool
}

func (c *Context) stampFor(via *sipframe.Via) (s stamp) {
	s.rport = via.HasRPort || c.forceRPort
	host, ok := parseAddr(c.Msg.Bytes(via.Host))
	s.received = s.rport || via.Received.Len > 0 || !ok || host.Unmap() != c.Src.Remote.Addr().Unmap()
	return s
}

// appendTopVia writes the value of the request's topmost Via header, with the
// stamp in its first value, for a response of ours.
func (c *Context) appendTopVia(dst []byte, h *sipframe.Header) []byte {
	via, _ := c.Msg.TopVia()
	from, text := len(c.edits), len(c.arena)
	if via != nil {
		c.stampVia(via)
	}
	raw, at := c.Msg.Raw(), h.Value.Off
	for _, e := range c.edits[from:] {
		dst = append(append(dst, raw[at:e.off]...), c.arena[e.from:e.to]...)
		at = e.end
	}
	c.edits, c.arena = c.edits[:from], c.arena[:text]
	return append(dst, raw[at:h.Value.End()]...)
}

// stampVia writes the stamp as edits of the message, in the order of their
// places: what is new stands first among the parameters.
func (c *Context) stampVia(via *sipframe.Via) {
	s := c.stampFor(via)
	addr, port := c.Src.Remote.Addr().Unmap(), uint64(c.Src.Remote.Port())
	text := c.scratch[:0]
	if s.received && via.Received.Len == 0 {
		text = addr.AppendTo(append(text, ";received="...))
	}
	if s.rport && !via.HasRPort {
		text = strconv.AppendUint(append(text, ";rport="...), port, 10)
	}
	if len(text) > 0 {
		c.insert(via.SentBy.End(), text)
	}
	n := len(c.edits)
	if s.received && via.Received.Len > 0 {
		text = addr.AppendTo(text[:0])
		c.edit(via.Received, text)
	}
	if s.rport && via.HasRPort {
		text = strconv.AppendUint(append(text[:0], "rport="...), port, 10)
		c.edit(via.RPort, text)
	}
	if e := c.edits[n:]; len(e) == 2 && e[0].off > e[1].off {
		e[0], e[1] = e[1], e[0]
	}
	c.scratch = text
}
