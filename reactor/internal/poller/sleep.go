package poller

import (
	"os"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/panjf2000/gnet/v2"
	"golang.org/x/sys/unix"
)

// Found is what a sleep has found, as bits.
type Found uint8

// What a sleep finds.
const (
	Own    Found = 1 << iota // something of the loop's, or of gnet's
	Others                   // something of loops that it attends to: Loop.Found
)

// Idle reports whether no socket of the loop has anything to tell, and nobody has
// woken it.
func (l *Loop) Idle() bool {
	n, err := unix.Poll(l.poll[:], 0)
	return n == 0 && err == nil
}

// MaySleep reports whether Sleep is allowed at the end of the callback under way.
// A callback that sleeps holds up what else gnet has found in the same look.
// Descriptors keep the set readable until they are served, so for those nobody
// sleeps; tasks of gnet's do not.
func (l *Loop) MaySleep() bool { return l.tasks.Load() == 0 && l.failed == nil }

// Sleep waits until a socket of the loop has something to tell, somebody has woken it or
// there is something to be done for a loop that it attends to, at most for a time. It is for
// the end of a callback: gnet itself, when it finds nothing to do, calls
// runtime.Gosched before it sleeps, and that wakes a second thread which finds
// nothing to do either.
func (l *Loop) Sleep(most time.Duration) (found Found) {
	ms := int(most / time.Millisecond)
	if len(l.others) == 0 {
		if n, _ := unix.Poll(l.poll[:], ms); n == 0 {
			return 0
		}
		return Own
	}
	n, err := unix.EpollWait(l.set, l.ready, ms)
	if err != nil {
		return Own
	}
	l.found = l.found[:0]
	for _, ev := range l.ready[:n] {
		if of := l.others[int(ev.Fd)]; of != nil {
			l.found = append(l.found, of)
			found |= Others
			continue
		}
		found |= Own
		if int(ev.Fd) == l.told.FD {
			l.tellAgain()
		}
	}
	return found
}

// Found returns for whom the last Sleep has found something to be done, if it found Others.
func (l *Loop) Found() []*Loop { return l.found }

// Yield lets the runtime schedule: other goroutines of this processor run, and
// its monitor sees that the loop does not keep it for itself. runtime.Gosched
// wakes a second thread besides, which takes the loop along to another core.
// The runtime does not export it, but keeps it for those who use it
// (go.dev/issue/67401).
//
//go:linkname Yield runtime.goyield
func Yield()

// wakeup is a loop's wake-up: an eventfd that gnet reads like a connection. gnet's
// own way, Execute, makes a closure and a node of its queue each time.
type wakeup struct {
	loop *Loop    // nil until a loop has it
	file *os.File // written to by any goroutine
}

var one = [8]byte{1}

func (w *wakeup) signal() { _, _ = w.file.Write(one[:]) }

// hung is gnet's word that a loop watches a wake-up.
func (l *Loop) hung(w *wakeup) gnet.Action {
	if l.wakeup.Load() != nil {
		return gnet.Close // gnet did not go round
	}
	w.loop = l
	l.wakeup.Store(w)
	if l.early.Load() {
		w.signal()
	}
	return gnet.None
}
