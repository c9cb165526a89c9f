package mid_registrar

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/transaction"
)

// Bounds of what is removed at the main registrar.
const (
	maxRemovals = 1 << 16 // that wait
	maxUnderWay = 64
)

// removals are contacts that are over here and not yet there. They outlive a reload.
type removals struct {
	queue      chan *transaction.Request
	underWay   chan struct{}
	sent, lost atomic.Uint64
}

func newRemovals() *removals {
	return &removals{queue: make(chan *transaction.Request, maxRemovals), underWay: make(chan struct{}, maxUnderWay)}
}

func (r *removals) sentOf() uint64 {
	if r == nil { // not started
		return 0
	}
	return r.sent.Load()
}

func (r *removals) lostOf() uint64 {
	if r == nil {
		return 0
	}
	return r.lost.Load()
}

// changed has the main registrar told of a contact that went without its phone saying so: in mode 2 of the last one of an
// address of record.
func (m *module) changed(table string, c *location.Change) {
	if c.Kind != location.Deleted || c.Asked || m.removals == nil {
		return
	}
	k := readKept(c.Contact.Kept())
	if k.until <= time.Now().Unix() {
		return // over there as well
	}
	if m.mode == byAOR && m.core.Places().Registered(table, c.AOR) {
		return
	}
	r := &transaction.Request{
		Method: "REGISTER", URI: []byte(k.uri), From: fmt.Appendf(nil, "<%s>", k.to), To: fmt.Appendf(nil, "<%s>", k.to),
		CallID: []byte(c.Contact.CallID()), CSeq: c.Contact.CSeq + 1, NextHop: []byte(k.hop),
		Headers: fmt.Appendf(nil, "Contact: <%s>;expires=0\r\n", k.sent),
	}
	select {
	case m.removals.queue <- r:
	default:
		m.removals.lost.Add(1)
	}
}

// remove sends the removals, so many at a time, until the module ends.
func (m *module) remove(ctx context.Context) {
	w := m.removals
	for {
		select {
		case w.underWay <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case r := <-w.queue:
			w.sent.Add(1)
			r.Done = func(o *transaction.Outcome) {
				if o.Code < 200 {
					return
				}
				if <-w.underWay; o.Code >= 300 {
					m.env.Log.Info("mid_registrar: the main registrar removes no contact", "code", o.Code, "call-id", string(r.CallID))
				}
			}
			if _, err := m.tm.Layer().Originate(nil, r); err != nil {
				<-w.underWay
			}
		case <-ctx.Done():
			<-w.underWay
			return
		}
	}
}
