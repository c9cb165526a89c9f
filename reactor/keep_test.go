package reactor

import (
	"testing"
	"time"
)

// TestKeepFor keeps one of two idle connections.
func TestKeepFor(t *testing.T) {
	t.Parallel()
	r := start(t, &script{message: echo}, func(c *Config) { c.Lifetime = 2 * time.Second })
	kept := r.dial(TCP)
	r.dial(TCP)
	var handle Handle
	r.eventually("both are up", func() bool { return r.Engine.Connections() == 2 })
	for _, e := range r.seen.of(ConnEstablished) {
		if e.Src.Remote.String() == kept.LocalAddr().String() {
			handle = e.Src.Conn
		}
	}
	if !r.Engine.KeepFor(handle, time.Minute) || r.Engine.KeepFor(handle+1<<40, time.Minute) {
		t.Fatal("kept none, or one that is not there")
	}
	r.eventually("the other one ends", func() bool { return len(r.seen.closes()) == 1 })
	time.Sleep(2 * time.Second) // as long again as the other one had
	if n := len(r.seen.closes()); n != 1 || !r.Engine.Alive(handle) {
		t.Errorf("%d have ended", n)
	}
}
