package reactor

import (
	"testing"
	"time"
)

// note is a Task that tells where it ran.
type note struct{ ran chan int }

func (n *note) Run(w *Worker) { n.ran <- w.Shard() }

// What is posted to a shard is run by a worker of that shard, in the order in which it was posted.
func TestPost(t *testing.T) {
	e := start(t, &script{}, func(c *Config) { c.Workers = 3 })
	if e.Shards() != 3 {
		t.Fatalf("%d shards, want 3", e.Shards())
	}
	if n := (*Worker)(nil).Shard(); n != 0 {
		t.Errorf("nobody's shard is %d", n)
	}
	if n := e.newWorker().Shard(); n != 0 {
		t.Errorf("that of a worker without a message is %d", n)
	}
	n := &note{ran: make(chan int, 3)}
	for shard := range 3 {
		e.Post(shard, n)
		select {
		case got := <-n.ran:
			if got != shard {
				t.Errorf("posted to %d, ran on %d", shard, got)
			}
		case <-time.After(patience):
			t.Fatal("it is not run")
		}
	}
}
