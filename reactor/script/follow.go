package script

import (
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// How long what trace() follows is followed.
const (
	ringing = 10 * time.Minute // a request without a final response
	over    = 32 * time.Second // behind the end: 64*T1, for what is sent again
	talking = 12 * time.Hour   // a call without a request in it
)

// maxFollowed bounds the transactions and calls that are followed at once.
const maxFollowed = 1 << 16

// follower traces transactions and calls that trace() has named: of all messages that
// come and go those with their Call-ID. While there are none it is not asked. Any
// goroutine.
type follower struct {
	now   func() time.Time
	count atomic.Int64 // of all below

	mu    sync.Mutex
	of    map[string]*followed // by Call-ID: a list
	swept time.Time            // when the table was looked through last
}

// followed is a transaction or a call that is traced by one trace_id.
type followed struct {
	next        *followed // of the same Call-ID
	name        string    // of the trace_id
	to          MessageTrace
	kinds       kinds
	legs        legs
	correlation []byte
	caller      string // the tag of who began it
	cseq        uint32 // of the transaction; with whole of no use
	whole       bool   // the call
	until       time.Time
}

func newFollower() *follower { return &follower{now: time.Now, of: make(map[string]*followed)} }

// on reports whether anything is followed.
func (f *follower) on() bool { return f.count.Load() > 0 }

// add follows what the message of m belongs to. It reports whether that is new: the
// trace_id did not trace the message before.
func (f *follower) add(m *Machine, one followed) bool {
	id := m.msg.CallID()
	if len(id) == 0 {
		return false
	}
	one.cseq, _, _ = m.msg.CSeq()
	one.caller = string(fromTag(m.msg))
	now := f.now()
	one.until = now.Add(ringing)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(now)
	for old := f.of[string(id)]; old != nil; old = old.next {
		if old.name == one.name && (old.whole || old.cseq == one.cseq) {
			old.whole = old.whole || one.whole
			old.until = later(old.until, one.until)
			return false
		}
	}
	if f.count.Load() >= maxFollowed {
		return true
	}
	one.next = f.of[string(id)]
	f.of[string(id)] = &one
	f.count.Add(1)
	m.c.Proxy().SetWatcher(f)
	return true
}

// Came traces a message that came: proxy.Watcher.
func (f *follower) Came(c *proxy.Context) {
	f.tell(c, c.Msg, c.Msg.CallID(), c.Src, time.Time{}, c.Received(), false)
}

// readers read what was sent.
var readers = sync.Pool{New: func() any { return new(sipframe.Message) }}

// Sent traces a message that was sent: proxy.Watcher. One that left with another
// Call-ID than the one that it came with, as behind topology hiding, is known by
// either from now on.
func (f *follower) Sent(c *proxy.Context, to *reactor.Source, at time.Time, data []byte) {
	msg := readers.Get().(*sipframe.Message)
	defer readers.Put(msg)
	if msg.Parse(data) != nil {
		return
	}
	id := msg.CallID()
	if c.Src != nil && c.Msg != nil {
		f.alias(c.Msg.CallID(), id)
	}
	f.tell(c, msg, id, to, at, data, true)
}

// alias has what is followed by one Call-ID followed by another as well.
func (f *follower) alias(came, went []byte) {
	if len(came) == 0 || len(went) == 0 || string(came) == string(went) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for one := f.of[string(came)]; one != nil; one = one.next {
		if f.of[string(went)] == nil && f.count.Load() < maxFollowed {
			other := *one
			other.next = nil
			f.of[string(went)] = &other
			f.count.Add(1)
		}
	}
}

// tell traces a message by all that follow it. The time of one that came is zero: it is
// now.
func (f *follower) tell(c *proxy.Context, msg *sipframe.Message, id []byte, src *reactor.Source, at time.Time, data []byte, outgoing bool) {
	now := f.now()
	if at.IsZero() {
		at = now
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	cseq, method, _ := msg.CSeq()
	tag := fromTag(msg)
	for one := f.of[string(id)]; one != nil; one = one.next {
		if now.After(one.until) || !one.whole && one.cseq != cseq {
			continue
		}
		side := calleeLeg
		if msg.IsRequest() != outgoing == (string(tag) == one.caller) {
			side = callerLeg
		}
		if one.kinds&traceSIP != 0 && one.legs&side != 0 {
			one.to.Trace(src, at, data, outgoing, one.correlation)
		}
		one.until = one.end(now, msg, sipframe.MethodOf(method))
	}
	if f.sweep(now); len(f.of) == 0 {
		c.Proxy().SetWatcher(nil)
	}
}

// end tells how long it is followed, with the message that was seen last.
func (one *followed) end(now time.Time, msg *sipframe.Message, method sipframe.Method) time.Time {
	code := msg.StatusCode()
	switch {
	case !one.whole && code >= 200, one.whole && method == sipframe.BYE && code != 401 && code != 407:
		return now.Add(over)
	case !one.whole:
		return one.until
	case method == sipframe.INVITE && code >= 200 && code < 300:
		return now.Add(talking)
	case method == sipframe.INVITE && code >= 300 && one.until.Sub(now) <= ringing: // not within a call
		return now.Add(over)
	case msg.IsRequest() && method == sipframe.INVITE:
		return later(one.until, now.Add(ringing))
	default:
		return one.until
	}
}

// lines calls f for each trace that a line over a message is for.
func (f *follower) lines(msg *sipframe.Message, do func(one *followed)) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	cseq, _, _ := msg.CSeq()
	for one := f.of[string(msg.CallID())]; one != nil; one = one.next {
		if one.kinds&traceLines != 0 && !now.After(one.until) && (one.whole || one.cseq == cseq) {
			do(one)
		}
	}
}

// sweep forgets, once a second, some of what is over.
func (f *follower) sweep(now time.Time) {
	const some = 1024
	if now.Sub(f.swept) < time.Second {
		return
	}
	f.swept = now
	n := 0
	for id, one := range f.of {
		if n++; n > some {
			return
		}
		var left *followed
		for one != nil {
			next := one.next
			if now.After(one.until) {
				f.count.Add(-1)
			} else {
				one.next, left = left, one
			}
			one = next
		}
		if left == nil {
			delete(f.of, id)
		} else {
			f.of[id] = left
		}
	}
}

// fromTag returns the tag of From.
func fromTag(msg *sipframe.Message) []byte {
	from, err := msg.From()
	if err != nil {
		return nil
	}
	return from.Tag.In(msg.Raw())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
