package reactor

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/peek"
)

// ledger keeps the books: every message that a Handler sends has one fate.
type ledger struct {
	script
	mu      sync.Mutex
	entries map[string]string // Call-ID to fate
	pick    func() *Target
	errs    atomic.Int64
	taken   atomic.Int64
}

func (l *ledger) note(id, fate string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if was, ok := l.entries[id]; ok && (was != "taken" || fate != "came back") {
		l.entries[id] = "twice: " + was + ", " + fate
		return
	}
	l.entries[id] = fate
}

func (l *ledger) Message(w *Worker, f *Frame) {
	if strings.HasPrefix(string(f.Data), "SIP/2.0") {
		return // what the plain-text peer says on a TCP connection
	}
	id := string(peek.CallID(f.Data))
	// The fate is written before the message can come back.
	l.note(id, "taken")
	if _, err := w.Send(l.pick(), Bytes(f.Data)); err != nil {
		l.mu.Lock()
		l.entries[id] = "refused"
		l.mu.Unlock()
		l.errs.Add(1)
		return
	}
	l.taken.Add(1)
}

func (l *ledger) Undelivered(_ *Worker, u *Undelivered) {
	l.note(string(peek.CallID(u.Data)), "came back")
}

// No message is lost without a trace: under random connects, resets, stalls,
// full queues and reloads, what came in = written + refused + given back,
// exactly, and what was written to a peer that lives arrives there.
//
// SIPREACTOR_LEDGER sets the number of messages; 20,000 without it.
func TestLedger(t *testing.T) {
	onWorkersAndLoops(t, testLedger)
}

func testLedger(t *testing.T, inline time.Duration) {
	total := 20000
	if n, err := strconv.Atoi(os.Getenv("SIPREACTOR_LEDGER")); err == nil && n > 0 {
		total = n
	}
	sink := &script{}
	var arrived atomic.Int64
	sink.message = func(*Worker, *Frame) { arrived.Add(1) }
	good := start(t, sink, nil)
	l := &ledger{entries: make(map[string]string)}
	bad := []netip.AddrPort{refusing(t), blackHole(t), silent(t), resetting(t), hangingUp(t), plainText(t),
		accepting(t, func(c net.Conn) { // reads a little, then dies in the middle
			_, _ = c.Read(make([]byte, 3000))
			c.Close()
		})}
	var rng sync.Mutex
	random := rand.New(rand.NewPCG(11, 12))
	var toGood atomic.Int64
	l.pick = func() *Target {
		rng.Lock()
		defer rng.Unlock()
		p := []Proto{TLS, TCP}[random.IntN(2)]
		if random.IntN(50) > 0 {
			toGood.Add(1)
			return &Target{Proto: p, Addr: good.addr(p), Name: "localhost"}
		}
		return &Target{Proto: p, Addr: bad[random.IntN(len(bad))], Name: "localhost"}
	}
	r := startWith(t, l, &l.script, func(c *Config) {
		for _, sc := range []*StreamConfig{&c.TLS, &c.TCP} {
			sc.LocalConnectTimeout, sc.LocalHandshakeTimeout = 5*time.Millisecond, 5*time.Millisecond
			// Longer than the clients of this test ever take, on a busy machine too.
			sc.HandshakeTimeout, sc.SendTimeout = 5*time.Second, 100*time.Millisecond
			sc.MaxPostponed = 8
		}
		c.ParkedTimeout = 100 * time.Millisecond
		c.Inline, c.InlineHandshake = inline, inline
		c.QueueFrames = total // the shards' own bound has its own test
	})

	stop := make(chan struct{})
	var chaos sync.WaitGroup
	chaos.Go(func() { // connections die at random, domains are reloaded
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			victim := n % 3
			r.conns.Table.Each(func(c *connection.Conn) {
				if c.Src.Outbound && victim == 0 {
					r.Close(c.ID)
				}
				victim--
			})
			r.SetDomains(r.cfg.Domains)
		}
	})
	const clients = 4
	var senders sync.WaitGroup
	var conns [clients]net.Conn
	for n := range conns { // before there is a load that makes handshakes slow
		conns[n] = r.dial([]Proto{TLS, TCP}[n%2])
		_ = conns[n].SetDeadline(time.Time{})
	}
	for n, c := range conns {
		senders.Go(func() {
			out := bufio.NewWriter(c)
			for i := range total / clients {
				_, _ = out.WriteString(request("MESSAGE", fmt.Sprintf("%d-%d", n, i), 1, strings.Repeat("x", i%500)))
				if i%64 == 0 {
					_ = out.Flush()
				}
			}
			if err := out.Flush(); err != nil {
				for _, e := range r.seen.of(ConnClosed) {
					if !e.Src.Outbound {
						t.Errorf("client %d: %v; the engine closed %v with %v", n, err, e.Src.Remote, e.Err)
					}
				}
			}
		})
	}
	senders.Wait()
	for done := int64(0); done < int64(total); { // as long as it becomes more
		was := done
		r.eventually("more messages have a fate", func() bool {
			done = l.errs.Load() + l.taken.Load()
			return done > was
		})
	}
	close(stop)
	chaos.Wait()
	r.eventually("what is taken is written or came back", func() bool {
		s := r.Stats()
		return int64(s.MessagesOut-s.Returned+s.Undelivered) == l.taken.Load()
	})
	r.eventually("the Handler has heard of each", func() bool { return r.dispatcher.Quiet() })

	fates := map[string]int{}
	for _, f := range l.entries {
		fates[f]++
	}
	s := r.Stats()
	t.Logf("%d messages: %v; written %d, arrived %d of %d meant for the living; %d dials, %d parked, ends %v",
		total, fates, s.MessagesOut, arrived.Load(), toGood.Load(), s.Dials, s.Parked, s.Closed)
	for id, f := range l.entries {
		if f != "taken" && f != "refused" && f != "came back" || strings.Count(id, "-") != 1 {
			t.Errorf("message %q: %s", id, f)
		}
	}
	if fates["taken"]+fates["refused"]+fates["came back"] != total || len(l.entries) != total {
		t.Errorf("the books do not balance: %v of %d", fates, total)
	}
	if fates["came back"] != int(s.Undelivered) || fates["taken"] != int(s.MessagesOut-s.Returned) {
		t.Errorf("came back %d, undelivered %d; taken %d, written %d", fates["came back"], s.Undelivered, fates["taken"], s.MessagesOut)
	}
}
