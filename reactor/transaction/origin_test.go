package transaction

import (
	"testing"
	"time"

	"sipreactor/reactor"
)

// A request of ours that was answered is no work that a stop waits for, though its transaction is kept for its
// retransmissions.
func TestAnsweredOfOursOwesNothing(t *testing.T) {
	l := run(t, &routes{}, Config{})
	bob := l.dial(reactor.UDP, 0)
	done := make(chan int, 1)
	if _, err := l.layer.Originate(nil, &Request{Method: "OPTIONS", URI: []byte(bob.uri("bob")), From: []byte("<sip:us@example.com>"),
		To: []byte("<sip:bob@example.com>"), Done: func(o *Outcome) { done <- o.Code }}); err != nil {
		t.Fatal(err)
	}
	req := bob.expect("OPTIONS")
	if n := l.layer.owed.Load(); n != 1 {
		t.Errorf("%d are owed before its answer", n)
	}
	bob.answerTo(req, "200 OK")
	if code := <-done; code != 200 {
		t.Fatal(code)
	}
	for end := time.Now().Add(3 * time.Second); l.layer.owed.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) { // it is kept for five seconds
			t.Fatal("it is waited for")
		}
	}
	if l.layer.Live() != 1 {
		t.Errorf("%d transactions are kept", l.layer.Live())
	}
}
