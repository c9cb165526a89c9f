package presence

import "testing"

func TestStateExpires(t *testing.T) {
	s := newState()
	of := resource{"sip:bob@example.org", "presence"}
	first, second := &publication{etag: "1", body: []byte("a"), expires: 10}, &publication{etag: "2", body: []byte("b"), expires: 20}
	if !s.publish(of, first) || !s.publish(of, second) {
		t.Fatal("there is no room")
	}
	x := &subscription{id: dialogID{"c", "f", "t"}, of: of, expires: 15}
	s.add(x)
	if s.find(of, "1", 9) != first || s.find(of, "1", 10) != nil || s.find(of, "3", 1) != nil {
		t.Error("a publication is found by its tag, until it is over")
	}
	if ended, changed := s.expire(9); len(ended) != 0 || len(changed) != 0 {
		t.Error("something ended early")
	}
	if ended, changed := s.expire(10); len(ended) != 0 || len(changed) != 1 || changed[0] != of {
		t.Errorf("ended %v, changed %v", ended, changed)
	}
	if ended, changed := s.expire(15); len(ended) != 1 || ended[0] != x || len(changed) != 0 || len(s.watchers(of)) != 0 {
		t.Errorf("ended %v, changed %v", ended, changed)
	}
	if _, changed := s.expire(20); len(changed) != 1 || s.count != 0 || len(s.state) != 0 || len(s.watched) != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

func TestStateIsBounded(t *testing.T) {
	s := newState()
	of := resource{"sip:bob@example.org", "presence"}
	for i := range maxPerPresentity {
		if !s.publish(of, &publication{expires: 10}) {
			t.Fatalf("publication %d has no room", i)
		}
	}
	if s.publish(of, &publication{expires: 10}) || s.count != maxPerPresentity {
		t.Error("a presentity has no bound")
	}
}
