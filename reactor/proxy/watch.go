package proxy

import (
	"time"

	"sipreactor/reactor"
)

// Watcher is told of every request and response that comes and of every one that is
// sent, in clear, for who follows calls through many messages. Its methods are called
// by the goroutines that handle them, many at once.
type Watcher interface {
	// Came tells of the message in c, before the Router has it.
	Came(c *Context)
	// Sent tells of one as it stands on the wire, and where it went, as a Witness is
	// told. c is what it was sent by: its message may be another one, and that of a
	// timer's is none of now.
	Sent(c *Context, to *reactor.Source, at time.Time, data []byte)
}

// SetWatcher has w told of all messages from now on; nil: nobody is, which costs one
// load a message. Any goroutine may call it.
func (p *Proxy) SetWatcher(w Watcher) {
	if w == nil {
		p.watcher.Store(nil)
		return
	}
	p.watcher.Store(&w)
}

// tellCame tells the Watcher, if there is one, of the message that came.
func (c *Context) tellCame() {
	if w := c.proxy.watcher.Load(); w != nil {
		(*w).Came(c)
	}
}
