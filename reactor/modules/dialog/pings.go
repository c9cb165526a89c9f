package dialog

import (
	"sync"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/transaction"
)

// pinger asks parties whether they are still there.
type pinger struct {
	mu  sync.Mutex
	all map[*core.Dialog]*pinged
}

// pinged is a dialog whose parties are asked. The pinger's lock guards it.
type pinged struct {
	due     [2]int64 // by direction - 1; 0: that side is not asked
	waiting [2]bool  // an answer is awaited
}

// pingTimeout is how long an answer may take.
const pingTimeout = 5 * time.Second

// begin has a dialog's parties asked from now on, if its flags want that.
func (p *pinger) begin(m *Module, d *core.Dialog, now int64) {
	f := d.Flags()
	if f&(core.OptionsPingCaller|core.OptionsPingCallee|core.ReinvitePingCaller|core.ReinvitePingCallee) == 0 {
		return
	}
	var x pinged
	for i, dir := range []core.Direction{core.Downstream, core.Upstream} {
		if every, _ := m.pingOf(f, dir); every > 0 {
			x.due[i] = now + every
		}
	}
	if x.due == [2]int64{} {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[*core.Dialog]*pinged)
	}
	p.all[d] = &x
}

func (p *pinger) end(d *core.Dialog) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, d)
}

// pingOf tells how often the side that requests of a direction reach is asked, and whether by INVITE.
func (m *Module) pingOf(f core.Flag, dir core.Direction) (every int64, invite bool) {
	options, again := core.OptionsPingCallee, core.ReinvitePingCallee
	if dir == core.Upstream {
		options, again = core.OptionsPingCaller, core.ReinvitePingCaller
	}
	switch {
	case f&again != 0:
		return int64(m.reinviteEvery / time.Second), true
	case f&options != 0:
		return int64(m.optionsEvery / time.Second), false
	default:
		return 0, false
	}
}

// round asks the parties whose time it is.
func (p *pinger) round(m *Module, now int64) {
	type due struct {
		d   *core.Dialog
		dir core.Direction
	}
	var list []due
	p.mu.Lock()
	for d, x := range p.all {
		for i := range x.due {
			if x.due[i] == 0 || x.due[i] > now || x.waiting[i] {
				continue
			}
			dir := core.Direction(i + 1)
			every, _ := m.pingOf(d.Flags(), dir)
			x.due[i], x.waiting[i] = now+every, true
			list = append(list, due{d, dir})
		}
	}
	p.mu.Unlock()
	for _, x := range list {
		p.ask(m, x.d, x.dir)
	}
}

// ask pings one side. Who knows nothing of the call, or says nothing, has ended it.
func (p *pinger) ask(m *Module, d *core.Dialog, dir core.Direction) {
	_, invite := m.pingOf(d.Flags(), dir)
	q := &Sequential{Method: "OPTIONS", Dir: dir, Callee: -1, NoAnswer: pingTimeout}
	why := core.PingTimeout
	if invite {
		why = core.ReinvitePingTimeout
		q.Method = "INVITE"
		q.Contact = m.contactFor(d, dir)
		// What the side was told last: a media relay may have changed what the other one said. Without one it is an offer
		// that is asked for.
		if m.bodyOf(d, q, "outbound") != nil {
			_ = m.bodyOf(d, q, "inbound")
		}
	}
	q.Done = func(o *transaction.Outcome) {
		p.mu.Lock()
		if x := p.all[d]; x != nil {
			x.waiting[dir-1] = false
		}
		p.mu.Unlock()
		if o.Code == 481 || o.Code == 408 || o.Local {
			m.terminate(d, why, "")
		}
	}
	if !m.Send(d, q) {
		q.Done(&transaction.Outcome{Code: 503, Local: true})
	}
}
