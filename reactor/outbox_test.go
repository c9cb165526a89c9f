package reactor

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func flightOf(messages ...string) *outbox {
	o := &outbox{}
	for _, m := range messages {
		o.add(Bytes(m), entry{})
	}
	o.flight, o.box = o.box, nil
	return o
}

func TestBatchKeepsMessagesApart(t *testing.T) {
	o := flightOf("one", "", "three")
	var got []string
	for i := range o.flight.ends {
		got = append(got, string(o.flight.message(i)))
	}
	if !slices.Equal(got, []string{"one", "", "three"}) {
		t.Errorf("got %q", got)
	}
	o.flight.free()
}

// A message counts as written when the record with its last byte is wholly
// written, and not before.
func TestAdvanceCountsByRecords(t *testing.T) {
	const overhead = 22
	big := strings.Repeat("x", recordSize) // fills the first record
	tests := []struct {
		name   string
		taken  int
		want   int
		sealed bool
	}{
		{"nothing", 0, 0, true},
		{"all of the first record but a byte", recordSize + overhead - 1, 0, true},
		{"the first record", recordSize + overhead, 1, true},
		{"the second but a byte", recordSize + 4 + 2*overhead - 1, 1, true},
		{"all", recordSize + 4 + 2*overhead, 3, true},
		{"plain: the first message", recordSize, 1, false},
		{"plain: into the second", recordSize + 1, 1, false},
		{"plain: the second", recordSize + 2, 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := flightOf(big, "ab", "cd")
			sealed := len(o.flight.text)
			if tt.sealed {
				sealed += 2 * overhead
			}
			o.launch(o.flight, sealed)
			if got := len(o.advance(tt.taken)); got != tt.want {
				t.Errorf("%d messages, want %d", got, tt.want)
			}
			o.flight.free()
		})
	}
}

// However the socket takes the bytes, every message is counted once, in order,
// and its sender hears of it.
func TestAdvanceInPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		o := &outbox{}
		n := 1 + rng.IntN(40)
		waits := make([]*waiter, n)
		for i := range n {
			waits[i] = newWaiter()
			o.add(Bytes(strings.Repeat("m", rng.IntN(3000))), entry{wait: waits[i], pong: i%7 == 6})
		}
		plain := len(o.box.text)
		sealed := plain + (plain+recordSize-1)/recordSize*29
		o.launch(o.box, sealed)
		o.box = nil
		counted := 0
		for o.taken < sealed {
			for _, e := range o.advance(min(1+rng.IntN(9000), sealed-o.taken)) {
				if !e.pong {
					counted++
				}
			}
			for i, w := range waits {
				if done := w.state.Load() == settled; done != (i < o.count) {
					t.Fatalf("message %d of %d: settled %v", i, o.count, done)
				}
			}
		}
		if want := n - n/7; counted != want || o.count != n {
			t.Fatalf("counted %d of %d, want %d", counted, n, want)
		}
		o.flight.free()
	}
}

func TestWaiterHasOneFate(t *testing.T) {
	w := newWaiter()
	w.connected()
	if !w.settle(nil) || w.settle(because(Shutdown, "")) || w.abandon() {
		t.Error("a settled waiter can be settled or abandoned again")
	}
	if n := <-w.ch; !n.connected {
		t.Error("the news of the connect is lost")
	}
	if n := <-w.ch; n.connected || n.err != nil {
		t.Errorf("got %+v", n)
	}
	w = newWaiter()
	if !w.abandon() || w.settle(nil) {
		t.Error("an abandoned waiter was settled")
	}
}

// BenchmarkOutbox is a message's way through an outbox, without TLS: appended
// by a worker, taken by the loop, counted as written; a batch of so many.
func BenchmarkOutbox(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(strconv.Itoa(batch), func(b *testing.B) {
			var m Appender = Bytes(request("MESSAGE", "bench", 1, ""))
			o := &outbox{}
			b.ReportAllocs()
			for n := 0; n < b.N; n += batch {
				for range batch {
					o.add(m, entry{})
				}
				sealed := len(o.box.text)
				o.launch(o.box, sealed)
				o.box = nil
				if got := len(o.advance(sealed)); got != batch {
					b.Fatalf("%d of %d written", got, batch)
				}
				o.flight.free()
				o.flight = nil
			}
		})
	}
}
