package load

import (
	"context"
	"strconv"
	"time"
)

// Options is a load of requests outside of dialogs: OPTIONS, or another method that a final response ends.
type Options struct {
	Peer        Peer
	URI         string        // Request-URI
	Method      string        // OPTIONS if empty
	Body        string        // text/plain
	Connections int           // persistent ones, at least 1
	Window      int           // closed loop: requests under way on each connection
	Rate        float64       // requests a second on all connections together; 0: closed loop
	Duration    time.Duration // requests begin for this long
	Count       int           // closed loop: end after this many; 0: any
	Timeout     time.Duration // without a final response for this long a request is lost; 4 s if 0
	Tally       *Tally        // to watch the load under way; may be nil
}

// Run offers the load and waits for its last answer. The error tells that it could not start.
func (o Options) Run(ctx context.Context) (Result, error) {
	if o.Method == "" {
		o.Method = "OPTIONS"
	}
	if o.Tally == nil {
		o.Tally = NewTally()
	}
	f, err := newFleet(ctx, o.Peer, o.Connections, o.Timeout, o.Tally)
	if err != nil {
		return Result{}, err
	}
	f.open = func(a *agent, u *unit) {
		a.Queue(func(out []byte) []byte {
			out = a.request(out, u, o.Method, o.URI, "<"+o.URI+">", "o", 1)
			return body(out, "text/plain", []byte(o.Body))
		})
	}
	f.receive = func(a *agent, u *unit, m *Message) {
		switch {
		case m.Status < 200:
		case m.Status < 300:
			o.Tally.Latency.Record(time.Since(u.due))
			a.done(u)
		default:
			a.failed(u, o.Method+" answered "+strconv.Itoa(m.Status))
		}
	}
	o.Tally.Begin()
	if o.Rate > 0 {
		err = f.openLoop(ctx, o.Rate, o.Duration)
	} else {
		f.closedLoop(ctx, o.Window, o.Duration, o.Count)
	}
	o.Tally.Offered()
	f.running.Wait()
	r := o.Tally.Result(o.Method)
	f.close()
	return r, err
}
