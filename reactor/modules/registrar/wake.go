package registrar

import (
	"context"
	"strconv"
	"sync"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// transactions is the module tm.
type transactions interface {
	Layer() *transaction.Layer
	StartTransaction(x *script.Machine) int
}

// pushed is what lookup() returns where every contact has to be woken.
const pushed = 2

// maxWaiters bounds the requests that wait for phones.
const maxWaiters = 1 << 16

// waiters are the requests that wait for phones to register, by the ID of the contact. They outlive a reload of the
// script. Any goroutine.
type waiters struct {
	mu   sync.Mutex
	by   map[uint64][]waiter
	size int
}

// waiter is one of them: a transaction, or a script.
type waiter struct {
	layer  *transaction.Layer // nil for a script
	handle uint64
	script chan struct{} // closed when the phone is there
	until  time.Time
}

// add has w wait. It reports whether there is room.
func (w *waiters) add(id uint64, one waiter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.size >= maxWaiters {
		return false
	}
	if w.by == nil {
		w.by = make(map[uint64][]waiter)
	}
	w.size++
	w.by[id] = append(w.by[id], one)
	return true
}

// take takes those that wait for a contact.
func (w *waiters) take(id uint64) []waiter {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.by[id]
	delete(w.by, id)
	w.size -= len(list)
	return list
}

// late takes those that have waited for too long.
func (w *waiters) late(now time.Time) (list []waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, all := range w.by {
		keep := all[:0]
		for _, one := range all {
			if now.Before(one.until) {
				keep = append(keep, one)
			} else {
				list = append(list, one)
			}
		}
		if w.size -= len(all) - len(keep); len(keep) == 0 {
			delete(w.by, id)
		} else {
			w.by[id] = keep
		}
	}
	return list
}

// start goes on with what waits in the one that this one replaces, and ends what waits for too long.
func (p *push) start(e *script.Env, old *Core) {
	if old != nil && old.push.waiters != nil {
		p.waiters = old.push.waiters
	} else if p.on {
		p.waiters = new(waiters)
	}
	if p.waiters == nil {
		return
	}
	e.Every(time.Second/4, func(context.Context) {
		for _, one := range p.waiters.late(time.Now()) {
			one.giveUp()
		}
	})
}

// Stop answers what waits for phones, unless another one goes on with it: in the Stop of a module.
func (m *Core) Stop(next *Core) {
	if w := m.push.waiters; w != nil && (next == nil || next.push.waiters != w) {
		for _, one := range w.late(time.Now().AddDate(1, 0, 0)) {
			one.giveUp()
		}
	}
}

// giveUp has a transaction answered by what it has: 480 if that is nothing.
func (w waiter) giveUp() {
	if w.layer == nil {
		return
	}
	w.layer.Do(nil, w.handle, func(x *transaction.Exchange, _ *proxy.Context) {
		if len(x.Legs()) == 0 {
			x.Respond(480, []byte("Temporarily Unavailable"), nil, nil, nil)
		}
		x.WaitForBranches(0)
	})
}

// wake has the phones woken that were found asleep, and the request's transaction wait for them. It returns what lookup()
// does where no other contact was found.
func (s *search) wake(at *script.Site) int {
	p, c := &s.m.push, s.x.Context()
	if rc := p.tm.StartTransaction(s.x); rc <= 0 {
		return rc
	}
	e := transaction.Of(c)
	if e == nil {
		return lookupFailed
	}
	until := time.Now().Add(time.Duration(p.timeout) * time.Second)
	woken := 0
	for i := range s.sleeping {
		b := &s.sleeping[i]
		if !p.waiters.add(b.ID, waiter{layer: p.tm.Layer(), handle: e.Handle(), until: until}) {
			s.x.Say(at, script.LevelWarn, s.m.name+": too many requests wait for phones")
			break
		}
		woken++
		s.m.places.Refresh(s.table.Name(), b, "ini-"+string(c.Msg.MethodName()), string(c.Msg.CallID()))
	}
	if woken == 0 {
		return lookupFailed
	}
	e.WaitForBranches(woken)
	if s.found == 0 {
		e.KeepChanges(c)
	}
	return pushed
}

// registered has requests go on to a phone that has woken.
func (m *Core) registered(_ string, change *location.Change) {
	p := &m.push
	if change.Kind != location.Updated || change.Contact.Flags&location.Pushed == 0 {
		return
	}
	list := p.waiters.take(change.Contact.ID)
	if len(list) == 0 {
		return
	}
	b := change.Contact
	branch := transaction.Injected{URI: string(m.appendAwake(nil, &b)), Destination: b.Received(), Path: b.Path(), Q: int(b.Q),
		Flags: uint64(m.places.Flags(&b)), Socket: m.socketOf(b.Socket()), Flow: b.Flow, Bound: b.Bound}
	if branch.Path != "" {
		branch.Destination = firstURI(branch.Path)
	}
	for _, one := range list {
		if one.script != nil {
			close(one.script)
			continue
		}
		one.layer.Do(nil, one.handle, func(x *transaction.Exchange, _ *proxy.Context) {
			x.InjectBranches([]transaction.Injected{branch}, false, false)
		})
	}
}

// processPurr builds pn_process_purr().
func (m *Core) processPurr(a *script.Args) script.Action {
	table := m.Table(a, 0)
	if !m.push.purr {
		a.Errorf(-1, `pn_process_purr() needs modparam(%q, "pn_enable_purr", 1)`, m.name)
		return nil
	}
	if table == nil {
		return nil
	}
	return func(x *script.Machine) int {
		p, c := &m.push, x.Context()
		id := purrOf(c)
		var b location.Contact
		now := x.Now().Unix()
		if id == 0 || !table.Table().ByID(id, now, func(c *location.Contact) { b = *c }) || !m.asleep(&b, now) {
			return 2
		}
		there := make(chan struct{})
		if !p.waiters.add(id, waiter{script: there, until: time.Now().Add(time.Duration(p.timeout) * time.Second)}) {
			return -1
		}
		m.places.Refresh(table.Name(), &b, "mid-"+string(c.Msg.MethodName()), string(c.Msg.CallID()))
		ok := x.Wait(func() { wait(there, time.Duration(p.timeout)*time.Second) })
		if !ok {
			return -1
		}
		return 1
	}
}

func wait(there chan struct{}, most time.Duration) {
	clock := time.NewTimer(most)
	defer clock.Stop()
	select {
	case <-there:
	case <-clock.C:
	}
}

// purrOf reads the reference of a registration in the Request-URI or the first Route; 0: there is none.
func purrOf(c *proxy.Context) uint64 {
	find := func(uri []byte) uint64 {
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) != nil {
			return 0
		}
		v, _ := u.Param(uri, "pn-purr")
		id, _ := strconv.ParseUint(string(v), 16, 64)
		return id
	}
	if id := find(c.RequestURI()); id != 0 {
		return id
	}
	it := c.Msg.Routes()
	v, ok := it.Next()
	var a sipframe.NameAddr
	if !ok || c.Msg.NameAddr(v, &a) != nil {
		return 0
	}
	return find(c.Msg.Bytes(a.URI))
}
