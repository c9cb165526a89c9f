package transaction

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
)

// held is a Resolver that answers, with loopback, when it is released.
type held struct {
	asked, over chan struct{}
	once        sync.Once
}

func (h *held) Lookup(_ context.Context, q names.Query) (names.Answer, error) {
	h.once.Do(func() { close(h.asked) })
	<-h.over
	to := reactor.EndPoint{Proto: cmp.Or(q.Proto, q.Fallback), Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), q.Port)}
	return names.Answer{TTL: time.Minute, Targets: []names.Target{{EndPoint: to}}}, nil
}

// What belongs to a call whose INVITE waits for the name of its next hop goes there behind it; the CANCEL is answered
// at once and the INVITE then never sent.
func TestOrderBehindALookUp(t *testing.T) {
	for _, proto := range []reactor.Proto{reactor.UDP, reactor.TCP} {
		t.Run(proto.String(), func(t *testing.T) {
			h := &held{asked: make(chan struct{}), over: make(chan struct{})}
			release := sync.OnceFunc(func() { close(h.over) })
			r := &routes{names: h}
			l := run(t, r, Config{}, func(c *reactor.Config) { c.QueueDelay = 0 })
			t.Cleanup(release)
			alice, bob := l.dial(proto, 0), l.listen(proto, 0)
			uri := strings.Replace(bob.uri("bob"), "127.0.0.1", "bob.example", 1)
			const calls = 6 // of which all may wait for the connection
			methods := []string{"INVITE", "PRACK", "UPDATE", "ACK", "BYE"}
			for i, m := range methods {
				for call := range calls {
					alice.ask(m, uri, fmt.Sprint("call", call), m, fmt.Sprintf("CSeq: %d %s", i+1, m))
				}
			}
			alice.ask("INVITE", uri, "canceled", "canceled")
			alice.ask("CANCEL", uri, "canceled", "canceled")
			<-h.asked
			for { // until the CANCEL is answered
				if m := alice.expect("SIP/2.0 200"); header(t, m, "CSeq") == "1 CANCEL" {
					break
				}
			}
			release()
			got := make(map[string][]string)
			for n := 0; n < calls*len(methods); {
				m := bob.expect("")
				id := header(t, m, "Call-ID")
				if id == "canceled" {
					t.Errorf("it was sent though it was canceled: %s", m)
				}
				method, _, _ := strings.Cut(m, " ")
				if method != "ACK" {
					bob.answerTo(m, "200 OK")
				}
				if !slices.Contains(got[id], method) { // else it comes again
					got[id] = append(got[id], method)
					n++
				}
			}
			for id, list := range got {
				if strings.Join(list, " ") != strings.Join(methods, " ") {
					t.Errorf("%s: %s", id, list)
				}
			}
			alice.expect("SIP/2.0 487")
		})
	}
}
