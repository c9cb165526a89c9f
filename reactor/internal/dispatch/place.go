package dispatch

import (
	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/workers"
)

// Place is where one works who runs the Handler. What runs it owns it.
type Place struct {
	dispatcher *Dispatcher
	do         func(Item)
	shard      *Shard
	host       *host // nil but for one that is on a loop, or was when it began to wait
	member     workers.Member
	fixed      bool             // it is a loop's own and never waits
	hand       *connection.Conn // whose item in hand that is; nil once its Handler has waited
	waits      *connection.Conn // whose item that is once it has
}

// Init readies a place at no shard yet, where do runs an item and calls Begin and Done.
func (p *Place) Init(d *Dispatcher, do func(Item)) { p.dispatcher, p.do = d, do }

// Shard returns the shard it is at, or was; nil for none.
func (p *Place) Shard() *Shard { return p.shard }

// Loop returns the loop that it is on; nil for none.
func (p *Place) Loop() Loop {
	if p.host == nil || p.host.Left() {
		return nil
	}
	return p.host.in.loop
}

// Hosted reports whether it is on a loop, or was when it began to wait.
func (p *Place) Hosted() bool { return p.host != nil }

// Begin is the beginning of an item.
func (p *Place) Begin(it *Item) { p.hand = it.Conn }

// Done is the end of one.
func (p *Place) Done(it *Item) {
	if it.Kind == Malformed {
		it.Conn.AskClose(LostFraming(it.Defect))
	}
	if it.Buf != nil {
		it.Buf.Release()
	}
	p.handled()
	if c := p.waits; c != nil {
		p.waits = nil
		c.Reading.Waits(-1)
	}
	p.shard.Done()
}

// handled ends the time in which the item under way is in hand.
func (p *Place) handled() {
	if c := p.hand; c != nil {
		p.hand = nil
		c.Handled()
	}
}

// DoFixed runs an item here and now, for a shard. The place is the caller's own, and the
// Handler never waits in it.
func (p *Place) DoFixed(s *Shard, it Item) {
	p.shard, p.fixed = s, true
	s.Begin()
	p.do(it)
}

// StandAside hands the shard to a follower before a wait that blocks, and leaves the loop.
// It returns false when there are as many waiting goroutines as may be: the caller then
// must not wait.
func (p *Place) StandAside() bool {
	if !p.aside() {
		return false
	}
	if p.host != nil && !p.host.blocks {
		p.host.blocks = true
		p.host.Pause()
	}
	return true
}

// aside hands the shard to a follower before a wait of any kind: see StandAside.
func (p *Place) aside() bool {
	switch {
	case p.fixed:
		p.shard.Stat.WaitersFull.Add(1)
		return false
	case !p.member.Leading: // it has waited before
	case p.host != nil && !p.host.Leave(), p.host == nil && !p.shard.HandOver(&p.member):
		p.shard.Stat.WaitersFull.Add(1)
		return false
	default:
		p.shard.Stat.Takeovers.Add(1)
	}
	p.shard.Stat.Waits.Add(1)
	if c := p.hand; c != nil {
		p.waits = c
		c.Reading.Waits(1)
	}
	p.handled()
	return true
}

// Await has the item under way wait for something that comes from elsewhere, and returns
// when resume is called: once, by any goroutine. begin, which must not block, sees to it
// that it will be. Where the Handler runs on a loop no goroutine waits: the loop does other
// things, and goes on here when it can. begin is told which loop that is, -1 for none.
// Await returns false without a call of begin when as many items wait as may.
func (p *Place) Await(begin func(loop int, resume func())) bool {
	if !p.aside() {
		return false
	}
	if h := p.host; h != nil && !h.blocks {
		h.wait.Store(waitBegins)
		begin(h.in.index, h.again)
		if h.wait.Load() != waitOver {
			h.Pause()
		}
		return true
	}
	over := make(chan struct{})
	begin(-1, func() { close(over) })
	<-over
	return true
}
