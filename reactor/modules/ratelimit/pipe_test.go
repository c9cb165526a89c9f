package ratelimit

import (
	"math"
	"regexp"
	"slices"
	"testing"
	"time"
)

// clocked are pipes with a clock of the test's.
func clocked() (*pipes, *time.Time) {
	s := newPipes()
	now := time.Unix(1000, 0)
	s.now = func() time.Time { return now }
	return s, &now
}

// passed counts how many of n messages pass.
func passed(s *pipes, name string, n, limit int, algo algorithm) (ok int) {
	for range n {
		if s.check([]byte(name), limit, algo) {
			ok++
		}
	}
	return ok
}

// TestTaildrop lets the limit of an interval through.
func TestTaildrop(t *testing.T) {
	s, now := clocked()
	s.interval = 2 * time.Second
	if n := passed(s, "p", 30, 10, taildrop); n != 20 {
		t.Errorf("%d of 30 a second in 2 seconds", n)
	}
	*now = now.Add(2 * time.Second)
	if n := passed(s, "p", 5, 10, taildrop); n != 5 {
		t.Errorf("%d in the next interval", n)
	}
	s.perInterval = true
	if n := passed(s, "q", 30, 10, taildrop); n != 10 {
		t.Errorf("%d with limit_per_interval", n)
	}
	s.with([]byte("q"), (*pipe).decrease)
	if l, _ := s.one("q", false); l.Counter != 29 || l.Algorithm != "TAILDROP" || l.Limit != 10 {
		t.Errorf("%+v", l)
	}
	s.with([]byte("q"), (*pipe).reset)
	if n := passed(s, "q", 30, 10, taildrop); n != 10 {
		t.Errorf("%d after a reset", n)
	}
}

// TestRED drops as many as the last interval was past the limit, evenly.
func TestRED(t *testing.T) {
	s, now := clocked()
	s.interval = time.Second
	if n := passed(s, "p", 40, 10, red); n != 40 {
		t.Errorf("%d in the first interval", n)
	}
	*now = now.Add(time.Second)
	if n := passed(s, "p", 40, 10, red); n != 10 {
		t.Errorf("%d in the second one", n)
	}
	*now = now.Add(3 * time.Second)
	if n := passed(s, "p", 40, 10, red); n != 40 {
		t.Errorf("%d after silence", n)
	}
}

// TestSBT slides: what is older than the window does not count.
func TestSBT(t *testing.T) {
	s, now := clocked()
	s.window, s.slot = time.Second, 100*time.Millisecond
	if n := passed(s, "p", 6, 10, sbt); n != 6 {
		t.Errorf("%d of 6", n)
	}
	*now = now.Add(500 * time.Millisecond)
	if n := passed(s, "p", 6, 10, sbt); n != 4 {
		t.Errorf("%d more within the window", n)
	}
	*now = now.Add(500 * time.Millisecond) // the first six are gone
	if n := passed(s, "p", 6, 10, sbt); n != 4 {
		t.Errorf("%d when the first are gone", n)
	}
	s.with([]byte("p"), (*pipe).decrease)
	if l, _ := s.one("p", true); l.Counter != 11 || len(l.Slots) != 10 {
		t.Errorf("%+v", l)
	}
	*now = now.Add(time.Hour)
	if n := passed(s, "p", 20, 10, sbt); n != 10 {
		t.Errorf("%d after an hour", n)
	}
}

// TestSystem goes by what the system says of queues and processors.
func TestSystem(t *testing.T) {
	s, _ := clocked()
	stat := "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1 1 1 1\n"
	s.system.unread = func() int { return 1280 }
	s.system.stat = func() ([]byte, error) { return []byte(stat), nil }
	s.system.control = pid{Kp: 1}
	s.system.look()
	if passed(s, "n", 1, 1279, network) != 0 || passed(s, "n", 1, 1280, network) != 1 {
		t.Errorf("%d bytes wait", s.system.waiting())
	}
	if n := passed(s, "f", 100, 50, feedback); n != 100 {
		t.Errorf("%d before a look", n)
	}
	stat = "cpu  110 0 10 80 0 0 0 0 0 0\n"
	s.system.look()
	if d := s.system.dropRate(50); math.Abs(d-0.5) > 1e-9 {
		t.Errorf("drop rate %v at full load and a limit of 50", d)
	}
	stat = "cpu  110 0 10 180 0 0 0 0 0 0\n"
	if s.system.look(); s.system.dropRate(50) != 0 {
		t.Error("it drops when idle")
	}
	if idle, all := processors([]byte("rubbish")); idle != 0 || all != 0 {
		t.Error(idle, all)
	}
}

// TestPipes are listed, found by name and forgotten.
func TestPipes(t *testing.T) {
	s, now := clocked()
	for _, name := range []string{"gw_1", "gw_2", "other"} {
		s.check([]byte(name), 1, taildrop)
	}
	if got := s.names(regexp.MustCompile("^gw")); !slices.Equal(got, []string{"gw_1", "gw_2"}) {
		t.Error(got)
	}
	if len(s.show("gw_*", false)) != 2 || len(s.show("gw_*", true)) != 1 || len(s.show("", false)) != 3 {
		t.Error("show")
	}
	*now = now.Add(2 * time.Hour)
	if s.clean(); len(s.names(nil)) != 0 {
		t.Error("not forgotten")
	}
	if s.with([]byte("gw_1"), (*pipe).reset) {
		t.Error("there is one")
	}
}
