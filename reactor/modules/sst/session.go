package sst

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// lowest is the shortest session that there may be at all (RFC 4028 section 5).
const lowest = 90

// session is what a dialog with a session timer has attached.
type session struct {
	before int64        // how long the dialog may last without
	asked  atomic.Int64 // that the last request went on with
	knows  [2]atomic.Bool
}

var sessionKey = new(int)

func sessionOf(d *core.Dialog) *session {
	s, _ := d.Attachment(sessionKey).(*session)
	return s
}

// side tells which of a session's knows a direction is.
func side(d core.Direction) int {
	if d == core.Upstream {
		return 1
	}
	return 0
}

// created looks at the INVITE of a new dialog.
func (m *module) created(c *proxy.Context, d *core.Dialog) {
	if !c.IsFlagSet(m.flag) {
		return
	}
	now := time.Now().Unix()
	if asked, ok := sessionExpires(c.Msg); ok && asked < m.minSE && m.refuses {
		_ = m.refuse(c) // the transaction is there
		return
	}
	s := &session{before: d.Left(now)}
	d.Attach(sessionKey, s)
	m.request(c, s, core.Downstream)
	d.SetTimeout(s.asked.Load(), now)
}

// later looks at a later request, which may refresh the session.
func (m *module) later(x *script.Machine, p dialog.Place) {
	if method := x.Method(); method != sipframe.INVITE && method != sipframe.UPDATE {
		return
	}
	if s := sessionOf(p.Dialog); s != nil {
		m.request(x.Context(), s, p.Dir)
	}
}

// request has a request ask for a session where it asks for none (RFC 4028 section 8.1).
func (m *module) request(c *proxy.Context, s *session, dir core.Direction) {
	msg := c.Msg
	knows := has(msg, sipframe.HeaderSupported, "timer")
	s.knows[side(dir)].Store(knows)
	if asked, ok := sessionExpires(msg); ok {
		s.asked.Store(asked)
		return
	}
	least, given := minSE(msg)
	asked := max(m.minSE, m.interval, least)
	s.asked.Store(asked)
	lines := fmt.Appendf(nil, "Session-Expires: %d\r\n", asked)
	if !given && !knows {
		lines = fmt.Appendf(lines, "Min-SE: %d\r\n", m.minSE)
	}
	_ = c.AppendHeader(lines) // they are headers
}

// happened has what a 2xx says count: transaction.Listener.
func (m *module) happened(h *transaction.Happening) {
	if h.What != transaction.ResponseOut || h.Code < 200 || h.Code >= 300 {
		return
	}
	if method := h.Exchange.Method(); method != sipframe.INVITE && method != sipframe.UPDATE {
		return
	}
	p := m.dialog.PlaceOfExchange(h.Exchange)
	if p.Dialog == nil {
		return
	}
	if s := sessionOf(p.Dialog); s != nil {
		p.Dialog.SetTimeout(s.agreed(h.Context, p.Dir), time.Now().Unix())
	}
}

// agreed returns how long a dialog lasts by a 2xx. One without a session has it from here, with who asked as who refreshes
// it, if that side knows how (RFC 4028 section 8.2).
func (s *session) agreed(c *proxy.Context, dir core.Direction) int64 {
	if n, ok := sessionExpires(c.Msg); ok {
		return n
	}
	if !s.knows[side(dir)].Load() {
		return s.before
	}
	asked := s.asked.Load()
	lines := fmt.Appendf(nil, "Session-Expires: %d;refresher=uac\r\n", asked)
	if !has(c.Msg, sipframe.HeaderRequire, "timer") {
		lines = append(lines, "Require: timer\r\n"...)
	}
	_ = c.AppendHeader(lines) // they are headers
	return asked
}

// sessionExpires returns the seconds of Session-Expires; ok tells whether there is one that can be read.
func sessionExpires(msg *sipframe.Message) (n int64, ok bool) {
	return seconds(msg.Value(sipframe.HeaderSessionExpires))
}

// minSE returns the seconds of Min-SE.
func minSE(msg *sipframe.Message) (n int64, ok bool) {
	return seconds(msg.Value(sipframe.HeaderMinSE))
}

// seconds reads delta-seconds, which parameters may follow. More than a dialog may last are as many.
func seconds(b []byte) (n int64, ok bool) {
	b, _, _ = bytes.Cut(b, []byte(";"))
	for _, c := range bytes.TrimSpace(b) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n, ok = min(n*10+int64(c-'0'), longest), true
	}
	return n, ok && n > 0
}

const longest = 1<<31 - 1

// has reports whether a header that is a list has a word.
func has(msg *sipframe.Message, kind sipframe.HeaderKind, word string) bool {
	it := msg.Values(kind)
	for v, ok := it.Next(); ok; v, ok = it.Next() {
		if sipframe.EqualFold(msg.Bytes(v), word) {
			return true
		}
	}
	return false
}
