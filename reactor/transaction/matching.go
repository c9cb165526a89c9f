package transaction

import (
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Which transaction a message belongs to.

// Find returns the handle of the transaction that the request in c belongs to: as a retransmission, the CANCEL of an
// INVITE or the ACK to its final response, which if that is a 2xx is one of ours; 0: there is none. The ACK to another's
// 2xx is a transaction of its own, also where its branch is that of the INVITE (RFC 3261 13.2.2.4; some clients have but
// one).
func (l *Layer) Find(c *proxy.Context) uint64 {
	ack := c.Msg.Method() == sipframe.ACK
	if ack {
		if h := l.scratchOf(c).acked; h != 0 {
			return h
		}
	}
	h := l.requests.find(c.TransactionKey())
	if !ack || h != 0 && !l.accepted(h) {
		return h
	}
	if l.answers.any() {
		return l.answers.find(l.proxy.AnswerKey(c.Msg))
	}
	return 0
}

// accepted reports whether the INVITE whose transaction has the handle was answered with a 2xx. Any goroutine.
func (l *Layer) accepted(h uint64) bool {
	if x := l.table.get(h); x != nil && x.handle.Load() == h {
		return x.accepted.Load()
	}
	r := l.table.left(h) // which an INVITE leaves with a 2xx only
	return r != nil && r.handle() == h
}

// Acknowledges reports whether an ACK belongs to a transaction: proxy.Transactions.
func (l *Layer) Acknowledges(c *proxy.Context) bool { return l.Find(c) != 0 }

// Refused reports whether the ACK in c is that of a final response that is no 2xx: it ends here (RFC 3261 17.1.1.3).
func (l *Layer) Refused(c *proxy.Context) bool {
	h := l.Find(c)
	return h != 0 && !l.accepted(h)
}

// acknowledge tells a transaction that the ACK of its final response has come, in the case of a 2xx of one of ours. That
// may be its end, but the ACK is its own as long as it is routed.
func (l *Layer) acknowledge(c *proxy.Context) {
	if h := l.Find(c); h != 0 {
		l.scratchOf(c).acked = h
		l.deliver(c, event{kind: evAck, handle: h}, nil)
	}
}

// Repeat has the transaction that the request in c is a retransmission of send its last response again. It reports
// whether there is one.
func (l *Layer) Repeat(c *proxy.Context) bool {
	if m := c.Msg.Method(); m == sipframe.ACK || m == sipframe.CANCEL {
		return false
	}
	h := l.requests.find(c.TransactionKey())
	if x := Of(c); h == 0 || x != nil && x.handle.Load() == h {
		return false
	}
	return l.deliver(c, event{kind: evRepeat, handle: h}, nil)
}

// FindInvite returns the handle of the open transaction of an INVITE by its Call-ID and CSeq number; 0: there is none. It
// looks at all transactions unless Config.ByCallID. Any goroutine.
func (l *Layer) FindInvite(callID []byte, cseq uint32) (handle uint64) {
	key := l.proxy.InviteKey(callID, cseq)
	if l.Config().ByCallID {
		return l.invites.find(key)
	}
	return l.inviteOf(key)
}

// FindOwnInvite is FindInvite for INVITEs of ours. Any goroutine.
func (l *Layer) FindOwnInvite(callID []byte, cseq uint32) (handle uint64) {
	return l.inviteOf(^l.proxy.InviteKey(callID, cseq))
}

// inviteOf looks for an INVITE's transaction at all of them.
func (l *Layer) inviteOf(key uint64) (handle uint64) {
	l.table.each(func(x *Exchange) bool {
		if x.invited.Load() == key {
			handle = x.handle.Load()
		}
		return handle == 0
	})
	return handle
}

// nameKey is what a transaction that a message is not of is kept by.
type nameKey struct{}

// Name has the message in c name a transaction, which is not its own.
func Name(c *proxy.Context, handle uint64) { c.Attach(nameKey{}, handle) }

// Named returns the handle of the transaction that the message in c names; 0: none.
func Named(c *proxy.Context) uint64 {
	h, _ := c.Attachment(nameKey{}).(uint64)
	return h
}
