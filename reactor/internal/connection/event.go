package connection

import (
	"time"

	"sipreactor/reactor/internal/event"
	"sipreactor/tlsstate"
)

// Observe tells the observer what happened to a connection: with its TLS connection
// and its secrets, if it has one.
func (a *Common) Observe(c *Conn, kind event.Kind, state *tlsstate.State, secrets string) {
	a.Tell(c, &event.Event{Kind: kind, TLS: state, Secrets: secrets})
}

// Tell completes an event and tells it.
func (a *Common) Tell(c *Conn, ev *event.Event) {
	src := c.Ends()
	ev.Time, ev.Src = time.Now(), &src
	ev.Age = ev.Time.Sub(c.Born)
	if ev.TLS != nil {
		ev.Took = c.tls.Took
	}
	a.report(ev)
	if ev.Kind != event.ConnRefused && ev.Kind != event.ConnClosed {
		a.Log.Event(c.Called(), ev.Kind.String(), ev.Age, ev.TLS, ev.Took)
	}
}
