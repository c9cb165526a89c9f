package transaction

import (
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/rescue"
)

// tickEvery is how often the wheels are looked at while they have timers.
const tickEvery = Tick

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

// tick posts to each shard whose wheel has something to do. It sleeps while there are no transactions.
func (l *Layer) tick() {
	clock := time.NewTicker(tickEvery)
	defer clock.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-clock.C:
		}
		now := l.now()
		for i := range l.shards {
			s := &l.shards[i]
			if at, any := s.wheel.Next(); any && at <= now && s.posted.CompareAndSwap(false, true) {
				l.engine.Post(i, s)
			}
		}
		if l.Live() == 0 {
			clock.Stop()
			select {
			case <-l.stop:
				return
			case <-l.wake:
			}
			clock.Reset(tickEvery)
		}
	}
}

// rouse wakes the ticker for the first transaction.
func (l *Layer) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
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
}
