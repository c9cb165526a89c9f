package sendqueue

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"sipreactor/sipframe"
)

// However acknowledgements come, exactly what is not acknowledged is given back,
// in order, and nothing is held behind that.
func TestUnacknowledgedAgainstSlice(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 9))
		var u Unacknowledged
		var model []Mark
		var texts []string
		acked := uint64(0)
		for i := range 300 {
			if rng.IntN(3) > 0 {
				text := fmt.Sprintf("%d:%0*d", i, rng.IntN(3000), 0)
				u.Sent += uint64(len(text)) + 22
				m := Mark{Wire: u.Sent, Note: i, Asks: i%2 == 0}
				u.Keep([]byte(text), m)
				model, texts = append(model, m), append(texts, text)
				continue
			}
			acked += rng.Uint64N(u.Sent - acked + 1)
			u.Update(int(u.Sent - acked))
			for len(model) > 0 && model[0].Wire <= acked {
				model, texts = model[1:], texts[1:]
			}
		}
		bytes := 0
		for _, s := range texts {
			bytes += len(s)
		}
		if u.Bytes() != bytes || u.Empty() != (len(model) == 0) {
			t.Fatalf("seed %d: %d bytes are kept, want %d", seed, u.Bytes(), bytes)
		}
		n := 0
		u.Take(func(text []byte, m *Mark) {
			if string(text) != texts[n] || m.Note != model[n].Note || m.Asks != model[n].Asks {
				t.Fatalf("seed %d: message %d is %v, want %v", seed, n, m.Note, model[n].Note)
			}
			n++
		})
		if n != len(model) || !u.Empty() || u.Bytes() != 0 {
			t.Fatalf("seed %d: %d of %d", seed, n, len(model))
		}
	}
	if n := sipframe.LiveBuffers(); n != 0 {
		t.Errorf("%d buffers are held", n)
	}
}

// While we are unconfirmed what is acknowledged is kept; then it goes.
func TestUnconfirmedIsKept(t *testing.T) {
	u := Unacknowledged{Unconfirmed: true, Sent: 10}
	u.Keep([]byte("x"), Mark{Wire: 10})
	if !u.Update(0) || u.Empty() {
		t.Fatal("it is gone, or no progress")
	}
	if u.Update(0) {
		t.Error("progress twice")
	}
	u.Unconfirmed = false
	if u.Forget(); !u.Empty() {
		t.Error("it is kept")
	}
}

func TestMuch(t *testing.T) {
	var u Unacknowledged
	u.Keep(make([]byte, askBytes), Mark{Wire: askBytes})
	if u.Sent = askBytes; u.Much() {
		t.Error("asked too early")
	}
	u.Keep([]byte("x"), Mark{Wire: askBytes + 1})
	if u.Sent++; !u.Much() {
		t.Error("not asked")
	}
	u.Update(int(u.Sent))
	if u.Much() {
		t.Error("asked again at once")
	}
	u.Take(func([]byte, *Mark) {})
}

// What nobody could see is not held against the peer.
func TestUnacknowledgedSince(t *testing.T) {
	const second = int64(time.Second)
	for name, tc := range map[string]struct {
		change func(u *Unacknowledged)
		want   int64
	}{
		"progress between two looks":           {func(u *Unacknowledged) { u.Moves(10*second, 300*time.Millisecond) }, 10*second - 300*int64(time.Millisecond)},
		"progress, and nobody looked for long": {func(u *Unacknowledged) { u.Moves(10*second, 8*time.Second) }, 9 * second},
		"progress of what is younger":          {func(u *Unacknowledged) { u.Since = 10 * second; u.Moves(10*second, time.Second) }, 10 * second},
		"stopped":                              {func(u *Unacknowledged) { u.Stopped(10*second, 7*time.Second) }, 8 * second},
		"stopped, and written behind that":     {func(u *Unacknowledged) { u.Since = 9 * second; u.Stopped(10*second, 7*time.Second) }, 10 * second},
	} {
		u := Unacknowledged{Since: second}
		if tc.change(&u); u.Since != tc.want {
			t.Errorf("%s: since %v, want %v", name, time.Duration(u.Since), time.Duration(tc.want))
		}
	}
}

// A request that is acknowledged asks no more, though it is kept because we are not confirmed.
func TestAsks(t *testing.T) {
	u := Unacknowledged{Unconfirmed: true, Sent: 10}
	u.Keep([]byte("x"), Mark{Wire: 10, Asks: true})
	if !u.Asks() {
		t.Error("it does not ask")
	}
	if u.Update(0); u.Asks() || u.Empty() {
		t.Error("it asks though it is acknowledged")
	}
	u.Take(func([]byte, *Mark) {})
}
