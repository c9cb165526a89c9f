package dialog

import (
	"sync"

	core "sipreactor/reactor/dialog"
)

// late are the dialogs with a 2xx of a fork that lost, or that came behind the call's end. It was passed on (RFC 3261 16.7),
// and a caller who knows forks acknowledges it and sends BYE; for one who does not, we do.
type late struct {
	mu  sync.Mutex
	due map[*core.Dialog]int64
}

// grace is how many seconds the caller has for that.
const grace = 3

// add has a dialog looked at.
func (l *late) add(d *core.Dialog, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.due == nil {
		l.due = make(map[*core.Dialog]int64)
	}
	if l.due[d] == 0 {
		l.due[d] = now + grace
	}
}

// round ends what the callers left alone.
func (l *late) round(m *Module, now int64) {
	var list []*core.Dialog
	l.mu.Lock()
	for d, at := range l.due {
		if at <= now {
			list = append(list, d)
			delete(l.due, d)
		}
	}
	l.mu.Unlock()
	for _, d := range list {
		for _, i := range d.Unacked() {
			m.Send(d, &Sequential{Method: "ACK", Dir: core.Downstream, Callee: i, CSeq: max(d.InviteCSeq, 1)})
			m.Send(d, &Sequential{Method: "BYE", Dir: core.Downstream, Callee: i})
		}
	}
}
