package deadlines

import "time"

// Wait is what a connection waits for.
type Wait uint8

// The waits.
const (
	Message         Wait = iota // for the rest of a message
	Send                        // for a socket that takes nothing: the next look
	Acknowledgement             // for what TCP has not acknowledged: the next look
	HalfClosed                  // for the answers that a half-closed connection is left open for
	count
)

// Owner is whose deadlines they are.
type Owner interface {
	// Now returns the time, on the clock that deadlines are on.
	Now() int64
	// TimeIsUp is called when the timer goes off. Any goroutine.
	TimeIsUp()
}

// Deadlines are those of one connection. The zero value has none.
type Deadlines struct {
	due   [count]int64 // 0 = it does not wait for that
	timer *time.Timer
	armed int64 // when it goes off; 0 = it does not
}

// Due returns when a wait is over; 0: there is none.
func (d *Deadlines) Due(w Wait) int64 { return d.due[w] }

// For reports whether there is a wait.
func (d *Deadlines) For(w Wait) bool { return d.due[w] != 0 }

// Past reports whether there is a wait that is over.
func (d *Deadlines) Past(w Wait, now int64) bool { return d.due[w] != 0 && d.due[w] <= now }

// Set begins a wait, or puts it off or forward, and sees that the timer is not later.
func (d *Deadlines) Set(w Wait, at int64, o Owner) {
	d.due[w] = at
	d.Look(at, o)
}

// PutOff changes when a wait is over without a look at the timer, which goes off no
// later, or is armed by Rest.
func (d *Deadlines) PutOff(w Wait, at int64) { d.due[w] = at }

// Clear ends a wait. The timer may go off all the same.
func (d *Deadlines) Clear(w Wait) { d.due[w] = 0 }

// Look sees that the timer goes off at a time. One that goes off earlier is left:
// whoever looks then arms it anew.
func (d *Deadlines) Look(at int64, o Owner) {
	if d.armed != 0 && d.armed <= at {
		return
	}
	d.armed = at
	wait := time.Duration(at - o.Now())
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, o.TimeIsUp)
		return
	}
	d.timer.Reset(wait)
}

// WentOff tells that the timer has: it is not armed any more.
func (d *Deadlines) WentOff() { d.armed = 0 }

// Rest arms the timer for the waits that are left.
func (d *Deadlines) Rest(o Owner) {
	for _, at := range d.due {
		if at != 0 {
			d.Look(at, o)
		}
	}
}

// Disarm stops the timer when nothing is waited for. Deadlines of messages come and
// go: for them it is left to go off. That of a handshake would, in a storm of
// connects, wake the loop once for each of them a moment later.
func (d *Deadlines) Disarm() {
	if d.timer == nil || d.due != [count]int64{} {
		return
	}
	d.timer.Stop()
	d.timer, d.armed = nil, 0
}

// Armed reports whether the timer may go off.
func (d *Deadlines) Armed() bool { return d.timer != nil || d.armed != 0 }

// Stop ends the timer, with the connection.
func (d *Deadlines) Stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}
