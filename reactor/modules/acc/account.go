package acc

import (
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// account is what is kept for a message or its transaction.
type account struct {
	of       *module
	marked   bool // do_accounting() was called
	mark     mark
	table    string
	upstream bool
	extra    [][]byte
	legs     [][][]byte
	dialog   *core.Dialog // that has the record of the call, with the flag cdr; nil none
	began    time.Time
	since    time.Time // it was made
}

type accountKey struct{}

// account gives what is kept for the message at hand; nil if there is nothing, unless it
// is to be made.
func (m *module) account(x *script.Machine, make bool) *account {
	c := x.Context()
	if a, _ := c.Attachment(loadedKey{}).(*account); a != nil {
		return a
	}
	e := transaction.Of(c)
	if e != nil {
		if a, ok := e.Attachment(accountKey{}).(*account); ok {
			return a
		}
	} else if a, ok := c.Attachment(accountKey{}).(*account); ok {
		return a
	}
	var a *account
	if m.dialog != nil {
		if d := m.dialog.Inside(c); d != nil {
			a, _ = d.Attachment(accountKey{}).(*account)
		}
		if a == nil {
			a = m.ofDialog(m.dialog.Of(c))
		}
	}
	switch {
	case a != nil:
	case !make:
		return nil
	default:
		a = &account{of: m, legs: [][][]byte{nil}, since: time.Now()}
	}
	if e != nil {
		e.Attach(accountKey{}, a)
		e.Listen(a.happens)
	} else {
		c.Attach(accountKey{}, a)
	}
	return a
}

// happens writes the records of a transaction.
func (a *account) happens(h *transaction.Happening) {
	switch h.What {
	case transaction.ResponseOut:
		if a.of.early && h.Code < 200 && a.mark.has(wanted) {
			if msg := h.Context.Msg; !msg.IsRequest() && len(msg.Body()) > 0 {
				a.answered(msg, nil, h.Code)
			}
		}
	case transaction.Failing:
		if h.Exchange.Method() == sipframe.INVITE && a.mark.has(onMissed) {
			a.missed(h)
		}
	case transaction.Answered:
		if !a.mark.has(wanted) || h.Code >= 300 && !a.mark.has(onFailed) {
			return
		}
		p := parsed(h.Text, h.Exchange.Request())
		if p.response != nil || p.request != nil {
			a.answered(p.response, p.request, h.Code)
		}
		p.free()
	default: // no record is of it
	}
}

// Decided writes the record of a request that gets no transaction: a CANCEL, with report_cancels, and one that came by another
// way before, or that there is no room for. It is proxy.Decided.
func (a *account) Decided(c *proxy.Context, code int) {
	if a.of.tm == nil || a.of.tm.Layer() == nil || !a.of.tm.Layer().Answering(c) {
		return
	}
	if code >= 300 && a.mark.has(onFailed) || code < 300 && a.mark.has(wanted) && a.of.cancels {
		a.answered(nil, c.Msg, code)
	}
}

func (a *account) answered(response, request *sipframe.Message, code int) {
	r := a.record(response, request, code)
	m := a.of.latest()
	need := wanted
	if code >= 300 {
		need |= onFailed
	}
	event := eventAnswered
	if code >= 300 {
		event = eventMissed
	}
	if a.began.IsZero() || code < 200 || code >= 300 {
		m.write(a, r, need, answered, a.tableOr(m.table), event)
		return
	}
	a.keep(r)
	plain := *a
	for i, f := range plain.mark {
		if f&cdr != 0 {
			plain.mark[i] = 0 // the call is recorded at its end
		}
	}
	m.write(&plain, r, need, answered, a.tableOr(m.table), event)
}

// missed writes that a call did not succeed, once for each do_accounting().
func (a *account) missed(h *transaction.Happening) {
	p := parsed(h.Leg.Response(), h.Exchange.Request())
	defer p.free()
	if p.response == nil && p.request == nil {
		return
	}
	m := a.of.latest()
	m.write(a, a.record(p.response, p.request, h.Code), wanted|onMissed, missed, a.tableOr(m.missedTable), eventMissed)
	for i := range a.mark {
		a.mark[i] &^= onMissed
	}
}

func (a *account) tableOr(table string) string {
	if a.table != "" {
		return a.table
	}
	return table
}

// sinceParams tell when what has failed began, and how many seconds it took.
func (a *account) sinceParams(until time.Time) []script.Param {
	since := a.since
	if since.IsZero() {
		since = until
	}
	return []script.Param{script.NumberParam("created", since.Unix()), script.NumberParam("setuptime", max(0, int64(until.Sub(since)/time.Second)))}
}
