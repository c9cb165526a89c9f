package reactor

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/loops"
)

// loopOf returns the loop that has a client's connection.
func (r *rig) loopOf(client net.Conn) (l *loops.Loop, id Handle) {
	r.Helper()
	r.conns.Table.Each(func(c *connection.Conn) {
		if c.Src.Remote.String() == client.LocalAddr().String() {
			l, id = c.Loop.(*loops.Loop), c.ID
		}
	})
	if l == nil {
		r.Fatal("the client's connection is not in the table")
	}
	return l, id
}

// What a loop has for a connection of another's it writes itself while that sleeps, and the
// other is not woken for it.
func TestAnotherLoopSleepsOn(t *testing.T) {
	var to Handle
	relay := func(w *Worker, f *Frame) {
		if _, err := w.Send(&Target{Conn: to}, Bytes(f.Data)); err != nil {
			t.Error(err)
		}
	}
	r := start(t, &script{message: relay}, func(c *Config) { c.Loops, c.Inline, c.InlineHandshake = 2, patience, patience })
	r.Engine.loops.Company.Recall() // else one goroutine does it all
	from, callee := r.dial(TLS), r.dial(TLS)
	here, _ := r.loopOf(from)
	there, id := r.loopOf(callee)
	for here == there {
		callee = r.dial(TLS)
		there, id = r.loopOf(callee)
	}
	to = id
	r.settled()
	slept := func() (n uint64) {
		r.onLoop(there, func() { n, _ = there.Sched.Slept() })
		return n
	}
	const messages = 200
	before := slept()
	for i := range messages {
		text := request("MESSAGE", "x", i, strings.Repeat("b", i))
		if _, err := io.WriteString(from, text); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(callee, got); err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
		time.Sleep(time.Millisecond) // the pause of the load, in which the loops fall asleep; where they do not, the bound below allows for it
	}
	if woken := slept() - before; woken > messages/2 {
		t.Errorf("the callee's loop was woken %d times for %d messages", woken, messages)
	}
}
