package cachedb_local

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func at(c *collection) *time.Time {
	now := time.Unix(1000, 0)
	c.now = func() time.Time { return now }
	return &now
}

// TestCollection stores, counts and forgets.
func TestCollection(t *testing.T) {
	c := newCollection()
	now := at(c)
	if _, ok := c.get([]byte("k")); ok {
		t.Error("it has a key from the start")
	}
	_ = c.set([]byte("k"), []byte("v"), 0)
	_ = c.set([]byte("short"), []byte("v"), 2*time.Second)
	*now = now.Add(time.Second)
	if v, ok := c.get([]byte("short")); !ok || v != "v" {
		t.Error("it is gone too early")
	}
	*now = now.Add(time.Second)
	if _, ok := c.get([]byte("short")); ok {
		t.Error("it outlived its time")
	}
	if v, ok := c.get([]byte("k")); !ok || v != "v" || c.size.Load() != 2 {
		t.Error("the other one is gone", c.size.Load())
	}
	c.clean()
	c.remove([]byte("none"))
	if c.size.Load() != 1 {
		t.Errorf("%d entries", c.size.Load())
	}
	if c.remove([]byte("k")); c.size.Load() != 0 {
		t.Errorf("%d entries", c.size.Load())
	}
}

// TestCount adds and subtracts; the time of a key stays unless another is given.
func TestCount(t *testing.T) {
	c := newCollection()
	now := at(c)
	for _, tc := range []struct {
		by, want int64
		ttl      time.Duration
	}{{5, 5, 3 * time.Second}, {-2, 3, 0}, {10, 13, 0}} {
		if n, err := c.add([]byte("n"), tc.by, tc.ttl); err != nil || n != tc.want {
			t.Errorf("%d: %d %v", tc.by, n, err)
		}
	}
	*now = now.Add(3 * time.Second)
	if n, _ := c.add([]byte("n"), 1, 0); n != 1 {
		t.Errorf("it counts on after its end: %d", n)
	}
	*now = now.Add(time.Hour)
	if v, ok := c.get([]byte("n")); !ok || v != "1" {
		t.Error("it has got an end")
	}
	_ = c.set([]byte("text"), []byte("x"), 0)
	if _, err := c.add([]byte("text"), 1, 0); !errors.Is(err, errNumber) {
		t.Error(err)
	}
}

// TestBounds of a collection.
func TestBounds(t *testing.T) {
	c := newCollection()
	c.max = 2
	if err := c.set([]byte("a"), []byte(strings.Repeat("x", maxEntry)), 0); !errors.Is(err, errLarge) {
		t.Error(err)
	}
	for i, want := range []error{nil, nil, errFull} {
		if err := c.set(fmt.Append(nil, i), nil, 0); !errors.Is(err, want) {
			t.Error(i, err)
		}
	}
	if err := c.set([]byte("0"), []byte("again"), 0); err != nil {
		t.Error("a key that is there:", err)
	}
}

// TestGlob removes and lists by patterns.
func TestGlob(t *testing.T) {
	c := newCollection()
	for _, k := range []string{"myinfo_1", "myinfo_2", "other"} {
		_ = c.set([]byte(k), []byte("of "+k), 0)
	}
	if list := c.fetchGlob("myinfo_*", 1); len(list) != 1 || list[0].Value != "of "+list[0].Name {
		t.Error(list)
	}
	if n := c.removeGlob("myinfo_*"); n != 2 || c.size.Load() != 1 {
		t.Error(n, c.size.Load())
	}
	if n := c.removeGlob("["); n != 0 {
		t.Error("a pattern that is none")
	}
}

// TestTogether counts from many goroutines.
func TestTogether(t *testing.T) {
	c := newCollection()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				_, _ = c.add([]byte("n"), 1, 0)
			}
		})
	}
	all.Wait()
	if v, _ := c.get([]byte("n")); v != "8000" {
		t.Error(v)
	}
}
