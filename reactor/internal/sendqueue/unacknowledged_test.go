package sendqueue

import (
	"fmt"
	"math/rand/v2"
	"testing"

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
