package cfgutils

import (
	"slices"
	"testing"
	"time"
)

// TestSet reads the documentation's examples.
func TestSet(t *testing.T) {
	for text, want := range map[string]struct {
		name string
		v    value
	}{
		"debug=i:1": {"debug", value{n: 1}}, "pstngw=s:sip:10.10.10.10": {"pstngw", value{text: "sip:10.10.10.10", isText: true}},
		"gw=s:sip:11.11.11.11;transport=tcp": {"gw", value{text: "sip:11.11.11.11;transport=tcp", isText: true}}, "x=i:-5": {"x", value{n: -5}}, "e=s:": {"e", value{isText: true}},
	} {
		if name, v, err := parseSet(text); err != nil || name != want.name || v != want.v {
			t.Errorf("%s: %s %+v %v", text, name, v, err)
		}
	}
	for _, bad := range []string{"", "x", "x=1", "x=i:a", "x=f:1", "=i:1"} {
		if _, _, err := parseSet(bad); err == nil {
			t.Errorf("%q", bad)
		}
	}
	var s shared
	if s.get("none") != (value{}) || s.has("none") {
		t.Error("one that was never set")
	}
	s.set("b", value{n: 1})
	s.set("a", value{text: "x", isText: true})
	if s.get("b").String() != "1" || s.get("a").String() != "x" || !slices.Equal(s.names(), []string{"a", "b"}) {
		t.Error(s.names())
	}
}

// TestLocks are had by one, and waited for no longer than allowed.
func TestLocks(t *testing.T) {
	k := newLocks(4)
	l := k.of([]byte("call"))
	if !l.try() || l.try() || k.of([]byte("call")).take(time.Millisecond) {
		t.Error("two have it")
	}
	l.release()
	l.release()
	if !l.take(time.Second) || l.try() {
		t.Error("it was not given back, or twice")
	}
	if k.index([]byte("call")) != k.index([]byte("call")) {
		t.Error("one key has two locks")
	}
	done := make(chan bool)
	go func() { done <- l.take(time.Minute) }()
	l.release()
	if !<-done {
		t.Error("who waited did not get it")
	}
}

// TestBrokenDown are the attributes of a time.
func TestBrokenDown(t *testing.T) {
	at := time.Date(2008, time.December, 28, 23, 59, 58, 0, time.UTC) // a Sunday
	for name, want := range map[string]int{"sec": 58, "min": 59, "hour": 23, "mday": 28, "mon": 12, "year": 2008, "wday": 1, "yday": 363, "isdst": 0} {
		if n, ok := brokenDown(at, name); !ok || n != want {
			t.Errorf("%s: %d %v", name, n, ok)
		}
	}
	if _, ok := brokenDown(at, "era"); ok {
		t.Error("era")
	}
}
