package reactor

import (
	"bytes"
	"time"

	"sipreactor/reactor/internal/phase"
	"sipreactor/sipframe"
)

// Admission. To refuse a request costs a good part of what it costs to serve it:
// it is read, decrypted, answered, encrypted and written. So where more comes
// than is handled, an engine that refuses all the rest serves less and less. It
// takes from the kernel what it can handle soon instead: connections that bring
// more are not read (pause) until nothing else is left to do, TCP slows their peers down, and what
// waits there is served when it is read. That is the bulk. While it goes on, one
// in a few new requests of those connections is refused as soon as it is read: on
// the loop, without a worker and without the script, so that their senders hear
// of it and go elsewhere.
//
// What belongs to a dialog or a transaction that is under way is never refused,
// and replies go first (shard.replies): they end what was begun.

const (
	// delayInterval is how long there has to be too much until new requests are
	// refused: a burst, or a machine that was away for a moment, is no overload.
	delayInterval = int64(100 * time.Millisecond)
	// delayMemory is how long after that the next excess is taken at its word.
	delayMemory = int64(time.Second)
	// refuseEvery is how many new requests are let in for one that is refused. To
	// refuse costs about a third of what it costs to serve.
	refuseEvery = 5
	// idleLook is how often a busy loop looks whether it has come round.
	idleLook = int64(5 * time.Millisecond)
)

// delay tells whether there has been too much for too long, in the manner of
// RFC 8289.
type delay struct {
	over  bool
	above int64 // since when every look has seen too much; 0 = the last one did not
	ended int64 // when over ended last; 0 = never
}

// look notes whether there is too much.
func (d *delay) look(now int64, much bool) {
	switch {
	case !much:
		d.above = 0
		if d.over {
			d.over, d.ended = false, now
		}
	case d.above == 0:
		d.above = now
		d.over = d.ended != 0 && now-d.ended < delayMemory
	case now-d.above >= delayInterval:
		d.over = true
	}
}

// budget bounds refusals by what is let in. It counts and measures no time: a
// process that gets little of a processor must refuse less as well.
type budget int

// spend reports whether the next new request may be refused.
func (b *budget) spend() bool {
	if *b < refuseEvery {
		*b++
		return false
	}
	*b = 0
	return true
}

// pace measures what a message takes a shard.
type pace struct {
	began int64 // when what is under way was; 0 = nothing is
	spent int64
	count int
	cost  int64 // on average, in ns; 0 = not known
}

// paceOver is how many messages make a measurement.
const paceOver = 64

func (p *pace) begin(now int64, n int) {
	p.began = now
	p.count += n
}

// rest notes the end of what was begun and returns the cost of a message.
func (p *pace) rest(now int64) int64 {
	if p.began != 0 {
		p.spent += now - p.began
		p.began = 0
	}
	if p.count >= paceOver {
		one := max(p.spent/int64(p.count), 1)
		if p.cost == 0 {
			p.cost = one
		}
		p.cost += (one - p.cost) / 4
		p.spent, p.count = 0, 0
	}
	return p.cost
}

// foresee works out how long what waits will have waited. The lock is held.
func (s *shard) foresee() {
	cost := s.cost.Load()
	s.wait.Store(cost * int64(s.replies.Len()+s.queue.Len()))
	s.last.Store(cost * int64(s.waiting()))
}

// exceeds reports whether so many more messages of a connection will wait for
// too long. A calm connection waits for the calm ones only.
func (s *shard) exceeds(c *conn, n int) bool {
	wait := s.wait.Load()
	if c.dense() {
		wait = s.last.Load()
	}
	return wait+s.cost.Load()*int64(n) >= int64(s.eng.cfg.QueueDelay)
}

// crowded reports whether the loop has not come round for too long, or is just
// about to because connections like this one are paused. Loop only.
func (l *loop) crowded(c *conn) bool {
	now, target := l.eng.now(), int64(l.eng.cfg.QueueDelay)
	if now-l.idled > target/4 && now-l.looking > idleLook {
		l.looking = now
		if l.poll.Idle() {
			l.idled = now
		}
	}
	return now-l.idled > target/2 || l.more && c.blamed && l.delay.above != 0
}

// weigh notes that a connection brings too much: new requests where there is no
// time for more of its messages. Loop only.
func (l *loop) weigh(c *conn) {
	if c == nil || l.eng.cfg.QueueDelay == 0 {
		return
	}
	crowded := l.crowded(c)
	for i, b := range l.bags {
		if len(b) != 0 && (crowded || l.eng.shards[i].exceeds(c, len(b))) && begins(b) {
			c.excess, c.blamed = true, true
			return
		}
	}
}

// begins reports whether a new request is among the items.
func begins(b bag) bool {
	for _, it := range b {
		if it.kind == itemMessage && !urgent(it.data) {
			return true
		}
	}
	return false
}

// late reports whether something waits for too long in a shard.
func (e *Engine) late() bool {
	target := int64(e.cfg.QueueDelay)
	for _, s := range e.shards {
		if target != 0 && s.last.Load() >= target {
			return true
		}
	}
	return false
}

// calm reports whether there is room for more in every shard.
func (e *Engine) calm() bool {
	for _, s := range e.shards {
		if s.last.Load() > int64(e.cfg.QueueDelay)/2 {
			return false
		}
	}
	return true
}

// eased has the loops read what they have paused, if there is room for that.
func (e *Engine) eased() {
	if e.paused.Load() == 0 || !e.calm() {
		return
	}
	e.eachLoop((*loop).resume)
}

// pause puts a connection that is held into the list of those that go on when
// there is room for more. Loop only.
func (l *loop) pause(c *conn) {
	c.paused = true
	l.paused.Push(c)
	l.eng.paused.Add(1) // before rest's look: a shard that becomes calm behind that sees it
}

// unpause has what is paused go on, as long as there is room in the shards and
// nothing else to be read: replies and what is calm go first. Loop only.
func (l *loop) unpause() {
	for l.paused.Len() > 0 && l.eng.calm() {
		if !l.poll.Idle() {
			return
		}
		l.idled = l.eng.now()
		c := l.paused.Pop()
		l.eng.paused.Add(-1)
		c.paused = false
		if c.phase == phase.Established && c.inHand.Load() < holdAt { // else handled has it released
			l.release(c)
		}
	}
}

// sift refuses new requests: all while the engine drains; where there has been
// too much for a while, as many of those of connections that brought it as the
// budget allows, and all of such datagrams, which nothing else slows down. The rest it leaves. Loop only.
func (l *loop) sift(c *conn) {
	e := l.eng
	if !e.refuses {
		return
	}
	ends := e.draining.Load()
	much := c != nil && c.excess || e.paused.Load() > 0 || e.late()
	if much || l.delay.above != 0 {
		l.delay.look(e.now(), much)
	}
	if c != nil {
		c.blamed = c.blamed && l.delay.over
	}
	if !ends && (!l.delay.over || c != nil && !c.blamed) {
		return
	}
	for i, b := range l.bags {
		kept := b[:0]
		for _, it := range b {
			switch {
			case it.kind != itemMessage, urgent(it.data), !ends && c != nil && !l.budget.spend():
				kept = append(kept, it)
				continue
			case ends:
				l.stat.drained.Add(1)
			default:
				l.stat.late.Add(1)
			}
			l.refuse(it)
		}
		clear(b[len(kept):])
		l.bags[i] = kept
	}
}

// refuse has the Handler answer a message that no worker is to have, here and
// now. Loop only.
func (l *loop) refuse(it item) {
	l.listen()
	if l.refuser == nil {
		l.refuser = &Worker{eng: l.eng, fixed: true}
	}
	if it.kind == itemMessage {
		it.kind = itemOverload
	}
	w := l.refuser
	w.shard = l.eng.shards[l.eng.shardOf(it.data)]
	w.shard.busy.Add(1)
	w.do(it)
}

// urgent reports whether a message is one that is never refused for its age:
// a response, an ACK, a CANCEL, or a request within a dialog. It does not parse;
// what it takes for a new request wrongly is answered, which harms nobody.
func urgent(data []byte) bool {
	switch {
	case len(data) < 8:
		return false
	case data[0] == 'S' && string(data[:4]) == "SIP/",
		data[0] == 'A' && string(data[:4]) == "ACK ",
		data[0] == 'C' && string(data[:7]) == "CANCEL ":
		return true
	}
	to := headerLine(data, toLine, "to", 't')
	if i := bytes.LastIndexByte(to, '>'); i >= 0 {
		to = to[i:]
	}
	for {
		i := bytes.IndexByte(to, ';')
		if i < 0 {
			return false
		}
		to = bytes.TrimLeft(to[i+1:], " \t")
		if len(to) > 4 && sipframe.EqualFold(to[:3], "tag") && (to[3] == '=' || to[3] == ' ' || to[3] == '\t') {
			return true
		}
	}
}
