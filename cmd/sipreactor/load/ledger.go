package load

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type syscallConn interface {
	SyscallConn() (syscall.RawConn, error)
}

// crossing is how long before the orderly end of its connection a request may have been sent without having come in time
// to be answered, on a busy machine.
const crossing = 250 * time.Millisecond

// refused is how long a client waits behind a 503 until it asks anything else in its place.
const refused = 50 * time.Millisecond

// Ledger is a load that keeps the books: each request has one final answer, or its client went.
type Ledger struct {
	Peers        []Peer    // the system under test, by each protocol
	Destinations []*Faulty // Sound ones get the rest of the requests
	Faulted      float64   // the part of the requests that goes to those that are not sound
	Total        int
	Connections  int           // clients with a connection each
	Window       int           // requests that a client has under way, at most
	Timeout      time.Duration // a request without an answer by then has none
	Stays        bool          // clients never leave before their answers are there

	begun atomic.Int64
}

// Begun is how many requests were sent, or are about to be. Any goroutine.
func (l *Ledger) Begun() int64 { return l.begun.Load() }

// Account is what became of a ledger's requests.
type Account struct {
	Answered   map[Fault]map[int]int // by what the destination was, and status
	Unanswered map[Fault]int         // whose client stayed
	Doubled    map[Fault]int         // more than one final answer
	Gone       int                   // whose client went
	Crossed    int                   // that were on their way when the system under test ended the connection in order
	Cut        map[Fault]int         // whose connection the system under test ended
	Cuts       map[string]int        // how those connections ended
	Strange    map[string]int        // what came and was no answer to anything
	Slowest    map[Fault]time.Duration
	Examples   []string // Call-IDs of some that are unanswered or doubled
}

// String is a table, a line for each fault.
func (a *Account) String() string {
	var b strings.Builder
	for _, f := range Faults {
		if a.Answered[f] == nil && a.Unanswered[f] == 0 {
			continue
		}
		fmt.Fprintf(&b, "%-12s slowest %6.1f s, unanswered %d, doubled %d,", f, a.Slowest[f].Seconds(), a.Unanswered[f], a.Doubled[f])
		for _, status := range slices.Sorted(maps.Keys(a.Answered[f])) {
			fmt.Fprintf(&b, " %d×%d", a.Answered[f][status], status)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d whose client went, %d that crossed an orderly end; whose connection was ended: %v, by %v\n", a.Gone, a.Crossed, a.Cut, a.Cuts)
	if len(a.Strange) > 0 || len(a.Examples) > 0 {
		fmt.Fprintf(&b, "strange: %v; for example %q\n", a.Strange, a.Examples)
	}
	return b.String()
}

// entry is one request's line in the book.
type entry struct {
	to     int16 // destination
	invite bool
	finals uint8
	gone   bool // its client went
	cut    bool // its connection was ended for it
	cross  bool // that was in order, and is no older than the request
	by     *visit
	sent   time.Time
}

// book is what a run writes down.
type book struct {
	*Ledger
	run string

	mu      sync.Mutex
	entries []entry
	account Account
}

// Run sends the requests and waits for their answers, or until ctx is over.
func (l *Ledger) Run(ctx context.Context) (*Account, error) {
	var id [4]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	b := &book{Ledger: l, run: hex.EncodeToString(id[:]), entries: make([]entry, l.Total), account: Account{
		Answered: map[Fault]map[int]int{}, Unanswered: map[Fault]int{}, Doubled: map[Fault]int{}, Cut: map[Fault]int{},
		Cuts: map[string]int{}, Strange: map[string]int{}, Slowest: map[Fault]time.Duration{},
	}}
	var clients sync.WaitGroup
	errs := make(chan error, l.Connections)
	for i := range l.Connections {
		clients.Go(func() {
			if err := b.client(ctx, i); err != nil {
				errs <- err
			}
		})
	}
	clients.Wait()
	b.close()
	select {
	case err := <-errs:
		return &b.account, err
	default:
		return &b.account, nil
	}
}

// close draws the balance.
func (b *book) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := &b.account
	for i := range min(int(b.begun.Load()), b.Total) {
		e := &b.entries[i]
		fault := b.Destinations[e.to].fault
		switch {
		case e.sent.IsZero(): // ctx was over
		case e.finals > 1:
			a.Doubled[fault]++
			b.example(i, fault)
		case e.finals == 1:
		case e.gone:
			a.Gone++
		case e.cross:
			a.Crossed++
		case e.cut:
			a.Cut[fault]++
			b.example(i, fault)
		default:
			a.Unanswered[fault]++
			b.example(i, fault)
		}
	}
}

func (b *book) example(i int, fault Fault) {
	if len(b.account.Examples) < 8 {
		b.account.Examples = append(b.account.Examples, b.callID(i)+" "+string(fault))
	}
}

func (b *book) callID(i int) string { return b.run + "." + strconv.Itoa(i) }

// pick chooses a destination by a request's number.
func (b *book) pick(i int) int16 {
	h := uint64(i)*0x9e3779b97f4a7c15 + 0x1234567
	h ^= h >> 31
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 29
	var list []int16
	faulted := float64(h%10000) < b.Faulted*10000
	for n, d := range b.Destinations {
		if (d.fault != Sound) == faulted {
			list = append(list, int16(n))
		}
	}
	return list[(h>>20)%uint64(len(list))]
}

// client sends its share on one connection after the other. How it ends each is its number's and its turn's.
func (b *book) client(ctx context.Context, number int) error {
	peer := b.Peers[number%len(b.Peers)]
	tries := time.Now()
	for turn := 0; ctx.Err() == nil && b.begun.Load() < int64(b.Total); {
		c, raw, err := peer.open()
		if err != nil { // it may be busy, or between two lives
			if time.Since(tries) > 60*time.Second {
				return fmt.Errorf("load: client %d: %w", number, err)
			}
			time.Sleep(50 * time.Millisecond)
			continue
		}
		v := &visit{b: b, c: c, raw: raw, room: make(chan struct{}, b.Window), kick: make(chan struct{}, 1), under: map[int]time.Time{}}
		v.run(ctx, number, turn)
		turn++
		tries = time.Now()
	}
	return nil
}

// open is Dial with a bound on its time, and the connection below TLS.
func (p Peer) open() (net.Conn, *net.TCPConn, error) {
	c, err := net.DialTimeout("tcp", p.Addr, 10*time.Second)
	if err != nil {
		return nil, nil, err
	}
	raw := c.(*net.TCPConn)
	if p.TLS == nil {
		return raw, raw, nil
	}
	_ = raw.SetDeadline(time.Now().Add(30 * time.Second))
	tc := tls.Client(raw, p.TLS)
	if err := tc.Handshake(); err != nil {
		_ = raw.Close()
		return nil, nil, err
	}
	_ = raw.SetDeadline(time.Time{})
	return tc, raw, nil
}

func (b *book) strange(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.account.Strange) < 16 {
		b.account.Strange[what]++
	}
}
