package destination

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestStates(t *testing.T) {
	h := New(Active, "table", noon)
	if !h.Usable(noon, 0, nil) || h.Why() != "table" || !h.Since().Equal(noon) {
		t.Fatal("a new one is not as it was made")
	}
	for i := range 2 {
		if h.Miss(3, "408", noon) {
			t.Fatalf("probing after %d misses", i+1)
		}
	}
	if !h.Miss(3, "408", noon.Add(time.Second)) || h.State() != Probing || h.Usable(noon, 0, nil) {
		t.Fatal("the third miss does not make it probing")
	}
	if h.Why() != "408" || !h.Since().Equal(noon.Add(time.Second)) {
		t.Errorf("since %v, why %q", h.Since(), h.Why())
	}
	if h.Miss(1, "408", noon) {
		t.Error("a miss of one in probing changes something")
	}
	if !h.Pong("200", noon, nil) || h.State() != Active || h.Pong("200", noon, nil) {
		t.Error("a pong does not make it active, once")
	}
	if h.Miss(3, "", noon) || h.Miss(3, "", noon) || h.Pong("", noon, nil) || h.Miss(3, "", noon) {
		t.Error("a pong does not make the count begin again")
	}
	h.Set(Inactive, "operator", noon, nil)
	if h.Pong("200", noon, nil) || h.State() != Inactive {
		t.Error("a pong wakes one that an operator took out")
	}
	if h.Set(Inactive, "script", noon, nil) || h.Why() != "operator" {
		t.Error("the same state is a change")
	}
}

func TestParseState(t *testing.T) {
	for text, want := range map[string]State{"a": Active, "A": Active, "1": Active, "i": Inactive, "0": Inactive, "P": Probing, "2": Probing} {
		if s, ok := ParseState(text); !ok || s != want {
			t.Errorf("%q is %v, %v", text, s, ok)
		}
	}
	if _, ok := ParseState("x"); ok {
		t.Error("x is a state")
	}
}

func TestDown(t *testing.T) {
	h := New(Active, "", noon)
	h.SetDown("connection refused")
	if h.Usable(noon, 0, nil) || h.State() != Active || h.Down() != "connection refused" {
		t.Error("one that the engine cannot reach is usable")
	}
	h.SetDown("")
	if !h.Usable(noon, 0, nil) {
		t.Error("one that the engine reaches again is not usable")
	}
}

// TestEjection: half of the calls fail, so it rests; when it comes back and does
// it again, twice as long.
func TestEjection(t *testing.T) {
	p := &Policy{Ratio: 0.5, Calls: 4, Window: 10 * time.Second, Rest: time.Minute}
	h := New(Active, "", noon)
	now := noon
	spell := func() string {
		h.Judge(false, time.Millisecond, now, p)
		h.Judge(true, 0, now, p)
		h.Judge(false, time.Millisecond, now, p)
		return h.Judge(true, 0, now, p)
	}
	if why := spell(); why != "2 of 4 calls failed" {
		t.Fatalf("rests for %q", why)
	}
	if h.Usable(now.Add(59*time.Second), 0, p) || h.Resting(now).Sub(now) != time.Minute {
		t.Error("it does not rest for a minute")
	}
	if h.Judge(true, 0, now.Add(time.Second), p) != "" {
		t.Error("a call that was under way is judged")
	}
	now = now.Add(time.Minute)
	if !h.Usable(now, 0, p) || !h.Resting(now).IsZero() {
		t.Fatal("it rests for longer than a minute")
	}
	if spell() == "" || h.Resting(now).Sub(now) != 2*time.Minute {
		t.Errorf("the second time it rests for %v", h.Resting(now).Sub(now))
	}
	now = now.Add(2 * time.Minute)
	for range 8 {
		h.Judge(false, time.Millisecond, now, p)
	}
	now = now.Add(11 * time.Second) // a window that went well
	if spell() == "" || h.Resting(now).Sub(now) != time.Minute {
		t.Errorf("after a good window it rests for %v", h.Resting(now).Sub(now))
	}
}

func TestWindowForgets(t *testing.T) {
	p := &Policy{Ratio: 0.5, Calls: 4, Window: 10 * time.Second}
	h := New(Active, "", noon)
	for i := range 20 {
		if why := h.Judge(true, 0, noon.Add(time.Duration(i)*4*time.Second), p); why != "" {
			t.Fatalf("rests with %d calls: %s", i, why)
		}
	}
}

func TestSlowAnswers(t *testing.T) {
	p := &Policy{Latency: 200 * time.Millisecond, Calls: 2, Window: time.Second}
	h := New(Active, "", noon)
	h.Judge(false, 100*time.Millisecond, noon, p)
	if why := h.Judge(false, 310*time.Millisecond, noon, p); why != "answers take 205ms" {
		t.Errorf("rests for %q", why)
	}
}

// TestNoPolicy: without a policy nothing is looked at.
func TestNoPolicy(t *testing.T) {
	h := New(Active, "", noon)
	for range 100 {
		if h.Judge(true, time.Hour, noon, nil) != "" || h.Judge(true, time.Hour, noon, &Policy{}) != "" {
			t.Fatal("rests without a policy")
		}
	}
}

func TestSlowStart(t *testing.T) {
	p := &Policy{SlowStart: 10 * time.Second}
	h := New(Probing, "", noon)
	h.Pong("200", noon, p)
	taken := func(after time.Duration) (n int) {
		for i := range 1024 {
			if h.Usable(noon.Add(after), uint64(i)<<54, p) {
				n++
			}
		}
		return n
	}
	for after, want := range map[time.Duration]int{0: 102, 5 * time.Second: 563, 10 * time.Second: 1024, time.Hour: 1024} {
		if n := taken(after); n < want-10 || n > want+10 {
			t.Errorf("after %v it takes %d of 1024", after, n)
		}
	}
	if h := New(Active, "", noon); !h.Usable(noon, 1<<63, p) {
		t.Error("one that was never away starts slowly")
	}
}

func TestTally(t *testing.T) {
	var tally Tally
	tally.Begin()
	tally.Begin()
	tally.Begin()
	tally.Took(80 * time.Millisecond)
	tally.Took(160 * time.Millisecond)
	tally.Answer(486, noon)
	tally.Answer(99, noon)
	tally.Fail()
	tally.Silence()
	tally.End()
	f := tally.Figures()
	if f.Calls != 3 || f.Running != 2 || f.Answers != [6]uint64{3: 1} || f.Failed != 1 || f.Silent != 1 ||
		f.Latency != 90*time.Millisecond || !f.Answered.Equal(noon) {
		t.Errorf("%+v", f)
	}
}

func BenchmarkUsable(b *testing.B) {
	h := New(Active, "", noon)
	for b.Loop() {
		h.Usable(noon, 1, nil)
	}
}
