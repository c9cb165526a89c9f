package sendqueue

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// text is a message.
type text string

func (t text) AppendTo(dst []byte) []byte { return append(dst, t...) }

func flightOf(messages ...string) *Flight {
	o := &Queue{}
	for _, m := range messages {
		o.Add(text(m), Entry{})
	}
	return &Flight{Batch: o.Waiting}
}

func TestBatchKeepsMessagesApart(t *testing.T) {
	o := flightOf("one", "", "three")
	var got []string
	for i := range o.Batch.Ends {
		got = append(got, string(o.Batch.Message(i)))
	}
	if !slices.Equal(got, []string{"one", "", "three"}) {
		t.Errorf("got %q", got)
	}
	o.Batch.Free()
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
			sealed := len(o.Batch.Text)
			if tt.sealed {
				sealed += 2 * overhead
			}
			o.Launch(o.Batch, sealed)
			if got := len(o.Advance(tt.taken)); got != tt.want {
				t.Errorf("%d messages, want %d", got, tt.want)
			}
			o.Batch.Free()
		})
	}
}

// However the socket takes the bytes, every message is counted once, in order,
// and its sender hears of it.
func TestAdvanceInPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		o, f := &Queue{}, &Flight{}
		n := 1 + rng.IntN(40)
		waits := make([]*Waiter, n)
		for i := range n {
			waits[i] = NewWaiter()
			o.Add(text(strings.Repeat("m", rng.IntN(3000))), Entry{Wait: waits[i], Pong: i%7 == 6})
		}
		plain := len(o.Waiting.Text)
		sealed := plain + (plain+recordSize-1)/recordSize*29
		f.Launch(o.Waiting, sealed)
		o.Waiting = nil
		counted := 0
		for f.Taken < sealed {
			for _, e := range f.Advance(min(1+rng.IntN(9000), sealed-f.Taken)) {
				if !e.Pong {
					counted++
				}
			}
			for i, w := range waits {
				if done := w.state.Load() == settled; done != (i < f.Count) {
					t.Fatalf("message %d of %d: settled %v", i, f.Count, done)
				}
			}
		}
		if want := n - n/7; counted != want || f.Count != n {
			t.Fatalf("counted %d of %d, want %d", counted, n, want)
		}
		f.Batch.Free()
	}
}

// What waits has a bound in messages and one in bytes, while the socket takes bytes as well; what
// belongs to something that has begun finds as much room again, and responses that are owed more.
func TestRoom(t *testing.T) {
	const few = 8 // may wait for the peer
	type ask struct{ begun, final, owed, ready bool }
	for name, tt := range map[string]struct {
		messages, size int
		ask            ask
		want           bool
	}{
		"for the peer":               {few - 1, 1, ask{}, true},
		"one too many":               {few, 1, ask{}, false},
		"begun":                      {2*few - 1, 1, ask{begun: true}, true},
		"begun, one too many":        {2 * few, 1, ask{begun: true}, false},
		"for the loop":               {queueMessages - 1, 1, ask{ready: true}, true},
		"for the loop, one too many": {queueMessages, 1, ask{ready: true}, false},
		"for the loop, too large":    {1, QueueBytes, ask{ready: true}, false},
		"for the loop, begun":        {1, QueueBytes, ask{begun: true, ready: true}, true},
		"begun, too large":           {1, 2 * QueueBytes, ask{begun: true, ready: true}, false},
		"a response":                 {2 * few, 1, ask{begun: true, final: true}, false},
		"a response that is owed":    {2 * few, 1, ask{begun: true, final: true, owed: true}, true},
		"owed, too large":            {2 * few, responseBytes / few, ask{begun: true, final: true, owed: true}, false},
	} {
		var q Queue
		for range tt.messages {
			q.Add(text(strings.Repeat("x", tt.size)), Entry{})
		}
		if got := q.Room(tt.ask.begun, tt.ask.final, tt.ask.owed, tt.ask.ready, few); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Answers to pings are no messages, whether they wait or are being written.
func TestPongsAreNoMessages(t *testing.T) {
	var q Queue
	q.Add(text("a"), Entry{})
	q.Add(text("\r\n"), Entry{Pong: true})
	q.AddRaw([]byte("pong"))
	f := Flight{Batch: q.Waiting}
	if q.Len() != 1 || !q.Pongs() || f.Unsent() != 1 {
		t.Errorf("%d wait, pongs: %v, %d are unsent", q.Len(), q.Pongs(), f.Unsent())
	}
	if f.Batch.Free(); f.Batch.pongs != 0 {
		t.Error("the next batch has the pongs of this one")
	}
	q = Queue{Blocked: 3}
	if q.Add(text("a"), Entry{}); q.Len() != 4 {
		t.Errorf("%d wait, with 3 that the socket has not taken", q.Len())
	}
}

func TestRemoveLast(t *testing.T) {
	var q Queue
	q.Add(text("a"), Entry{})
	q.Add(text("bc"), Entry{})
	q.RemoveLast()
	if string(q.Waiting.Text) != "a" || len(q.Waiting.Ends) != 1 || q.Len() != 1 {
		t.Errorf("%q", q.Waiting.Text)
	}
	if q.RemoveLast(); q.Waiting != nil || q.Len() != 0 {
		t.Error("an empty batch waits")
	}
}

func TestWaiterHasOneFate(t *testing.T) {
	w := NewWaiter()
	w.Connected()
	if !w.Settle(nil) || w.Settle(errors.New("over")) || w.Abandon() {
		t.Error("a settled waiter can be settled or abandoned again")
	}
	if n := <-w.News(); !n.Connected {
		t.Error("the news of the connect is lost")
	}
	if n := <-w.News(); n.Connected || n.Err != nil {
		t.Errorf("got %+v", n)
	}
	w = NewWaiter()
	if !w.Abandon() || w.Settle(nil) {
		t.Error("an abandoned waiter was settled")
	}
}

// BenchmarkQueue is a message's way through an Queue, without TLS: appended
// by a worker, taken by the loop, counted as written; a batch of so many.
func BenchmarkQueue(b *testing.B) {
	for _, batch := range []int{1, 32} {
		b.Run(strconv.Itoa(batch), func(b *testing.B) {
			var m Appender = text(strings.Repeat("x", 300))
			o, f := &Queue{}, &Flight{}
			b.ReportAllocs()
			for n := 0; n < b.N; n += batch {
				for range batch {
					o.Add(m, Entry{})
				}
				sealed := len(o.Waiting.Text)
				f.Launch(o.Waiting, sealed)
				o.Waiting = nil
				if got := len(f.Advance(sealed)); got != batch {
					b.Fatalf("%d of %d written", got, batch)
				}
				f.Batch.Free()
				f.Batch = nil
			}
		})
	}
}

// breaks is a message that is none.
type breaks struct{}

func (breaks) AppendTo(dst []byte) []byte {
	_ = append(dst, "half of it"...)
	panic("it breaks")
}

// A panic of an Appender leaves the queue as it was.
func TestAddThatPanics(t *testing.T) {
	add := func(q *Queue) {
		defer func() { _ = recover() }()
		q.Add(breaks{}, Entry{})
	}
	var q Queue
	if add(&q); q.Waiting != nil {
		t.Error("an empty batch waits")
	}
	q.Add(text("a"), Entry{})
	if add(&q); q.Len() != 1 || string(q.Waiting.Text) != "a" {
		t.Errorf("%d wait: %q", q.Len(), q.Waiting.Text)
	}
}

// brackets are a framing that turns what is between them to upper case, and back.
type brackets struct{}

func (brackets) Open(text []byte) []byte { return append(text, '[') }
func (brackets) Close(text []byte, from int) (out []byte, begin int) {
	return text, from + 1
}
func (brackets) Turn(text []byte, begin, end int) {
	for i := begin; i < end; i++ {
		text[i] ^= 'a' - 'A'
	}
}

// Each message is turned by itself, and what stands before it is not.
func TestTurn(t *testing.T) {
	q := Queue{Framing: brackets{}}
	q.Add(text("one"), Entry{})
	q.Add(text("two"), Entry{})
	for _, want := range []string{"[ONE[TWO", "[one[two"} {
		if q.Turn(q.Waiting); string(q.Waiting.Text) != want {
			t.Errorf("%q, want %q", q.Waiting.Text, want)
		}
	}
	q.Waiting.Free()
}
