package transaction

import (
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rescue"
)

// Start has the timers go off, on the workers of the engine's shards. Before it there is no transaction.
func (l *Layer) Start(e *reactor.Engine) {
	l.engine = e
	l.setShards(e.Shards())
	l.stop, l.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(l.stopped)
		rescue.Again(nil, "the clock of transactions", l.tick)
	}()
}

// Stop ends the timers.
func (l *Layer) Stop() {
	if l.stop == nil {
		return
	}
	close(l.stop)
	<-l.stopped
	l.stop = nil
}

// tick posts to each shard whose wheel has something to do, and sleeps until the next one has: a wake-up costs more than what
// most timers are for, which are stopped before they go off.
func (l *Layer) tick() {
	clock := time.NewTimer(0)
	defer clock.Stop()
	for {
		l.alarm.awake()
		now, next := l.now(), never
		for i := range l.shards {
			s := &l.shards[i]
			switch at, any := s.wheel.Next(); {
			case !any:
			case at > now:
				next = min(next, int64(at/Tick))
			case s.posted.CompareAndSwap(false, true):
				l.engine.Post(i, s)
			}
		}
		if !l.alarm.sleep(next) {
			continue
		}
		if next == never {
			clock.Stop()
		} else {
			clock.Reset(time.Duration(next)*Tick - now)
		}
		select {
		case <-l.stop:
			return
		case <-l.alarm.rings:
		case <-clock.C:
		}
	}
}

// never is a tick that does not come.
const never = int64(1)<<62 - 1

// alarm wakes who looks at wheels when a timer is due before he would look. Any goroutine.
type alarm struct {
	at    atomic.Int64 // the tick at which he looks next
	rings chan struct{}
}

func newAlarm() *alarm { return &alarm{rings: make(chan struct{}, 1)} }

// awake says that he looks now: what is armed from here on he may have missed.
func (a *alarm) awake() { a.at.Store(never) }

// sleep says when he looks next. It reports false when something was armed while he looked.
func (a *alarm) sleep(at int64) bool { return a.at.CompareAndSwap(never, at) }

// due says that there is something to do at a tick.
func (a *alarm) due(at int64) {
	for next := a.at.Load(); at < next; next = a.at.Load() {
		if a.at.CompareAndSwap(next, at) {
			select {
			case a.rings <- struct{}{}:
			default: // he has not heard the last one
			}
			return
		}
	}
}

// Run has the timers of a shard go off: reactor.Task.
func (s *shard) Run(w *reactor.Worker) {
	s.posted.Store(false)
	l := s.layer
	c := l.workerContext(w)
	s.wheel.Advance(l.now(), func(t *Timer, of uint64) {
		l.deliver(c, event{kind: evTimer, handle: of, timer: t}, nil)
	})
	l.putContext(c)
	if at, any := s.wheel.Next(); any {
		l.alarm.due(int64(at / Tick))
	}
}
