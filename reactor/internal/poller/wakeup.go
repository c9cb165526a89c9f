package poller

import (
	"os"

	"github.com/panjf2000/gnet/v2"
)

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
