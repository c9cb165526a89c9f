package reactor

import (
	"bytes"
	"sync/atomic"
	"time"

	"sipreactor/sipframe"
)

// Admission. A request that has waited long is dead work: who sent it has given
// up, or will before the answer comes. So where what waits is older than
// Config.QueueDelay, and stays so, new requests are refused as soon as they are
// read: on the loop, without a worker and without the script. What belongs to a
// dialog or a transaction that is under way goes on.
//
// Three signs tell that there is more than can be handled, each where it shows:
// a shard's messages get old in its queue; a loop does not come round in time; a
// connection has always more in the kernel than one look takes. Such a
// connection is read on, because to pause would only move the queue to where no
// answer reaches it.

const (
	// delayInterval is how long what waits has to be too old until new requests
	// are refused: a burst, or a machine that was away for a moment, is no overload.
	delayInterval = int64(100 * time.Millisecond)
	// delayMemory is how long after that the next such delay is taken at its word.
	delayMemory = int64(time.Second)
	// deadAfter is how many times Config.QueueDelay makes a request dead work.
	deadAfter = 8
	// fullRead is what gnet reads at once: there may be more.
	fullRead = 64 << 10
	// idleLook is how often a busy loop looks whether it has come round.
	idleLook = int64(5 * time.Millisecond)
)

// delay tells whether what waits somewhere has been too old for too long, in the
// manner of RFC 8289. Its owner looks, anybody may ask.
type delay struct {
	over  atomic.Bool
	above int64 // since when every look has seen too old a thing; 0 = the last one did not
	ended int64 // when over ended last; 0 = never
}

// look notes the age of the oldest that waits. A target of 0 is none.
func (d *delay) look(now, age, target int64) {
	switch {
	case age < target || target == 0:
		d.calm(now)
	case d.above == 0:
		d.above = now
		if d.ended != 0 && now-d.ended < delayMemory {
			d.over.Store(true)
		}
	case now-d.above >= delayInterval && !d.over.Load():
		d.over.Store(true)
	}
}

// calm notes that nothing is too old.
func (d *delay) calm(now int64) {
	d.above = 0
	if d.over.Load() {
		d.over.Store(false)
		d.ended = now
	}
}

// arrived looks at what a read says about delay: how long the connection has
// had more in the kernel than was read, and how long the loop took to come
// round. It reports whether new requests of the connection are refused. Loop
// only.
func (l *loop) arrived(c *conn, n int) {
	now := l.eng.now()
	target := int64(l.eng.cfg.QueueDelay)
	if l.set >= 0 && now-l.idled > target/2 && now-l.looking > idleLook {
		l.looking = now
		if l.quietSet() {
			l.idled = now
		}
	}
	if l.set >= 0 {
		l.delay.look(now, now-max(c.drained, l.idled), target)
	}
	c.late = target != 0 && c.backlog != 0 && now-c.backlog > 2*target
	switch {
	case n < fullRead && !c.wasHeld:
		c.drained, c.backlog = now, 0
	case c.backlog == 0:
		c.backlog = now
	}
	c.wasHeld = false
	l.readAt = now
}

// overloaded reports whether new requests of a connection (nil: of a datagram)
// are refused wherever they were to go. Loop only.
func (l *loop) overloaded(c *conn) bool { return l.delay.over.Load() || c != nil && c.late }

// sift refuses the new requests of the bags whose shards are late, or of all,
// also when the engine drains, and leaves the rest. Loop only.
func (l *loop) sift(c *conn) {
	if !l.eng.refuses {
		return
	}
	ends := l.eng.draining.Load()
	all := ends || l.overloaded(c)
	for i, b := range l.bags {
		if len(b) == 0 || !all && !l.eng.shards[i].delay.over.Load() {
			continue
		}
		kept := b[:0]
		for _, it := range b {
			if it.kind == itemMessage && !urgent(it.data) {
				if ends {
					l.stat.drained.Add(1)
				} else {
					l.stat.late.Add(1)
				}
				l.refuse(it)
				continue
			}
			kept = append(kept, it)
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

// over reports whether anything tells of overload: the loop itself or a shard.
// Loop only.
func (l *loop) over() bool {
	if l.delay.over.Load() {
		return true
	}
	for _, s := range l.eng.shards {
		if s.delay.over.Load() {
			return true
		}
	}
	return false
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
