package proxy

import (
	"encoding/binary"

	"sipreactor/sipframe"
)

// TransactionKey returns a keyed hash of what the messages of a transaction have in common (RFC 3261 17.2.3; without the
// magic cookie as RFC 2543 has it): an INVITE, its CANCEL and the ACK to its final response that is no 2xx have the same
// one, and so have responses.
func (c *Context) TransactionKey() uint64 {
	k := c.transaction()
	method := c.Msg.Method()
	if !c.Msg.IsRequest() {
		_, name, _ := c.Msg.CSeq()
		method = sipframe.MethodOf(name)
	}
	if inviteFamily(method) {
		return k
	}
	return k ^ (uint64(method)+1)*0x9e3779b97f4a7c15
}

// SetOldMatching says what does not count when messages of peers of RFC 2543, whose branches lack the magic cookie, are
// matched: the Request-URI, the topmost Via. Some write others into CANCEL and ACK than into the INVITE. Any goroutine.
func (p *Proxy) SetOldMatching(anyURI, anyVia bool) {
	p.anyURI.Store(anyURI)
	p.anyVia.Store(anyVia)
}

// InviteKey returns a keyed hash of what names an INVITE for people: its Call-ID and CSeq number. Any goroutine.
func (p *Proxy) InviteKey(callID []byte, cseq uint32) uint64 {
	b := appendField(make([]byte, 0, 128), callID)
	return hash(&p.keys.loop, binary.BigEndian.AppendUint32(b, cseq)) | 1
}

// AnswerKey returns a keyed hash of what a 2xx to an INVITE shares with its ACK, which is a transaction of its own: m is
// either.
func (p *Proxy) AnswerKey(m *sipframe.Message) uint64 {
	b := appendDialog(make([]byte, 0, 256), m)
	if to, err := m.To(); err == nil {
		b = appendField(b, m.Bytes(to.Tag))
	}
	return hash(&p.keys.check, b) | 1
}

// MergeKey returns a keyed hash of what a request shares with copies of it that came another way (RFC 3261 8.2.2.2):
// Call-ID, From tag and CSeq, and since a proxy upstream may fork to several of our users, the Request-URI. ok is false
// for a request that has been here before, and one within a dialog.
func (c *Context) MergeKey() (key uint64, ok bool) {
	if c.HasToTag() {
		return 0, false
	}
	values := c.Msg.Values(sipframe.HeaderVia)
	for v, more := values.Next(); more; v, more = values.Next() {
		var via sipframe.Via
		if c.Msg.ViaAt(v, &via) == nil && looksOurs(c.Msg.Bytes(via.Branch)) {
			return 0, false
		}
	}
	b := appendDialog(c.scratch[:0], c.Msg)
	b = appendField(b, c.Msg.MethodName())
	b = appendField(b, c.Msg.RequestURI())
	c.scratch = b
	return hash(&c.proxy.keys.loop, b), true
}
