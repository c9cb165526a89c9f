package transaction

import (
	"fmt"
	"testing"
	"time"

	"sipreactor/reactor"
)

// A request of ours that was answered is no work that a stop waits for, though its transaction is kept for its
// retransmissions.
func TestAnsweredOfOursOwesNothing(t *testing.T) {
	timing := DefaultTiming()
	timing.T4, timing.Wait = 2*patience, 2*patience // for as long it is kept
	l := run(t, &routes{}, Config{Timing: timing})
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
	for end := time.Now().Add(patience); l.layer.owed.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is waited for")
		}
	}
	if l.layer.Live() != 1 {
		t.Errorf("%d transactions are kept", l.layer.Live())
	}
}

// A request of ours is told what it was answered: a peer's 503 is none of ours to hide (RFC 3261 16.7 step 6 is for a client
// upstream). What could not be delivered is a 503 of ours, and that alone was not sent.
func TestUnservedOfOurs(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(b *bed, request sent)
		want string
	}{
		{"answered", func(b *bed, r sent) { b.take(answer(b.T, r, "503 Overloaded"), fromCallee) }, "503 Overloaded false"},
		{"undelivered", func(b *bed, r sent) {
			b.ctx.Return(&reactor.Undelivered{Data: []byte(r.text), Proto: r.to.Proto, Addr: r.to.Addr, Err: &reactor.Error{Reason: reactor.ConnectFailed}})
		}, "503 Send failed (477/TM) true"},
		{"silent", func(b *bed, _ sent) { b.pass(time.Minute) }, "408 Request Timeout true"},
	} {
		for _, method := range []string{"OPTIONS", "INVITE"} {
			t.Run(c.name+" "+method, func(t *testing.T) {
				b := newBed(t)
				var told []string
				if _, err := b.layer.Originate(b.ctx, &Request{Method: method, URI: []byte(bob), From: []byte("<sip:us@example.com>"), To: []byte("<sip:bob@example.com>"),
					Done: func(o *Outcome) { told = append(told, fmt.Sprint(o.Code, " ", string(o.Reason), " ", o.Local)) }}); err != nil {
					t.Fatal(err)
				}
				c.end(b, b.want(method + " " + bob + " SIP/2.0")[0])
				if len(told) != 1 || told[0] != c.want {
					t.Errorf("told %q, want %q", told, c.want)
				}
			})
		}
	}
}
