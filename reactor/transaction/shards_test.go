package transaction

import (
	"fmt"
	"sync"
	"testing"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/sipframe"
)

// Responses come to the shard of their transaction, also where the request left with another Call-ID than the one by which
// its shard was chosen, and where the request was ours.
func TestResponsesComeToTheirShard(t *testing.T) {
	const shards, calls = 4, 24
	var mu sync.Mutex
	asked, answered := map[string]int{}, map[string]int{} // shard by the user that is called
	note := func(in map[string]int, c *proxy.Context, uri []byte) {
		var u sipframe.URI
		_ = sipframe.ParseURI(uri, &u)
		mu.Lock()
		defer mu.Unlock()
		in[string(u.User.In(uri))] = c.W.Shard()
	}
	r := &routes{}
	r.request = func(c *proxy.Context) {
		note(asked, c, c.RequestURI())
		at := c.Msg.Header(c.Msg.Find(sipframe.HeaderCallID)).Value
		if err := c.Replace(at, []byte("hidden-"+string(c.Msg.CallID()))); err != nil {
			t.Error(err)
		}
		r.relay(c)
	}
	r.onResponse = func(c *proxy.Context, _ *Exchange, leg *Leg) bool {
		note(answered, c, leg.Set.URI())
		return false
	}
	l := run(t, r, Config{}, func(c *reactor.Config) { c.Workers = shards })
	alice, bob := l.dial(reactor.UDP, 0), l.dial(reactor.UDP, 0)
	var done sync.WaitGroup
	for i := range calls {
		user := fmt.Sprintf("bob%d", i)
		alice.ask("MESSAGE", bob.uri(user), user, user)
		bob.answerTo(bob.expect("MESSAGE"), "200 OK")
		alice.expect("SIP/2.0 200")

		own := fmt.Sprintf("carol%d", i)
		done.Add(1)
		if _, err := l.layer.Originate(nil, &Request{Method: "OPTIONS", URI: []byte(bob.uri(own)), From: []byte("<sip:us@example.com>"),
			To: []byte("<sip:carol@example.com>"), CallID: []byte(own), Done: func(o *Outcome) {
				defer done.Done()
				mu.Lock()
				asked[own] = o.Exchange.shard.index
				mu.Unlock()
				note(answered, o.Context, []byte(bob.uri(own)))
			}}); err != nil {
			t.Fatal(err)
		}
		bob.answerTo(bob.expect("OPTIONS"), "200 OK")
	}
	done.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 2*calls {
		t.Errorf("%d requests", len(asked))
	}
	for user, shard := range asked {
		if got, ok := answered[user]; !ok || got != shard {
			t.Errorf("%s: asked by shard %d, answered on %d", user, shard, got)
		}
	}
}
