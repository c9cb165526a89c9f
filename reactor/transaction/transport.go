package transaction

// Went tells, within User.SendRequest, by what kind of transport a branch's request
// has gone: of several targets the one that took it may speak another than was
// thought. What is sent over a reliable one is not sent again by us.
func (b *Branch) Went(reliable bool) {
	m := &b.request
	if m.reliable == reliable {
		return
	}
	m.reliable = reliable
	if m.state != Calling && m.state != Trying {
		return
	}
	t := b.of
	m.interval = t.timing.T1
	resend := m.interval
	if reliable {
		resend = Off
	}
	t.arm(&b.timers[partResend], resend)
}
