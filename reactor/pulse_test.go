package reactor

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// stuck asks for a pulse until only that is late which is stuck: the rest of a
// busy machine may take its time, too.
func (r *rig) stuck(what string) {
	r.Helper()
	r.eventually(what, func() bool {
		err := r.pulse(100 * time.Millisecond)
		if err == nil {
			r.Fatalf("all come round, want %s", what)
		}
		return strings.Contains(err.Error(), what)
	})
}

// pulse asks for a pulse of an engine that may be stuck.
func (r *rig) pulse(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return r.Pulse(ctx)
}

func TestPulse(t *testing.T) {
	r := start(t, &script{message: echo}, nil)
	c := r.dial(TCP)
	for i := range 20 {
		_, _ = c.Write([]byte(request("OPTIONS", "x", i, "")))
		if err := r.pulse(patience); err != nil {
			t.Fatal(err)
		}
	}
}

// A shard whose leader does not come back from a message has no pulse, however
// lively the rest is; a message that waits in order does not count as that.
func TestPulseOfStuckShard(t *testing.T) {
	hold, in := make(chan struct{}), make(chan struct{}, 2)
	r := start(t, &script{message: func(w *Worker, f *Frame) {
		in <- struct{}{}
		if bytes.Contains(f.Data, []byte("CSeq: 2 ")) {
			w.Wait(func() { <-hold })
		} else {
			<-hold
		}
	}}, func(c *Config) { c.Workers, c.Loops = 2, 1 })
	c := r.dial(TCP)
	_, _ = c.Write([]byte(request("OPTIONS", "x", 1, "")))
	<-in
	r.stuck("0 of 1 event loops and 1 of 2 shards")
	_ = r.pulse(time.Millisecond) // asks for no second beat
	hold <- struct{}{}
	if err := r.pulse(patience); err != nil {
		t.Errorf("on again: %v", err)
	}
	_, _ = c.Write([]byte(request("OPTIONS", "x", 2, "")))
	<-in
	if err := r.pulse(patience); err != nil {
		t.Errorf("a wait: %v", err)
	}
	close(hold)
}

func TestPulseOfStuckLoop(t *testing.T) {
	o := newHolder(ConnAccepted)
	r := start(t, &script{message: echo}, func(c *Config) { c.Loops, c.Observer = 1, o })
	r.dial(TCP)
	<-o.in
	r.stuck("1 of 1 event loops and 0 of")
	close(o.hold)
	if err := r.pulse(patience); err != nil {
		t.Errorf("on again: %v", err)
	}
}
