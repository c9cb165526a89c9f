package load

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

// visit is one connection of a client. Its own goroutine writes, another reads.
type visit struct {
	b    *book
	c    net.Conn
	raw  *net.TCPConn
	room chan struct{} // a place for each request under way
	kick chan struct{} // acks has something, or nothing is under way any more

	mu     sync.Mutex
	under  map[int]time.Time // requests under way, and since when
	acks   []byte
	ending ending
	over   bool // the other side has ended the connection, or it is no more
}

// ending is how a connection ends for its client.
type ending uint8

const (
	cut    ending = iota // by the other side
	leaves               // by the client, which has no interest in what is under way
	waited               // by the client, which has waited for as long as it would
)

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

// run sends until it is the connection's time to end, which it does in one of several ways.
func (v *visit) run(ctx context.Context, number, turn int) {
	read := make(chan struct{})
	go func() { defer close(read); v.read() }()
	quota, how := v.b.Total, "stays" // all that is left
	if number%4 != 0 || turn > 0 {
		quota = 200 + (number*131+turn*71)%400
		how = []string{"stays", "half", "stays", "goes", "half", "resets"}[(number+turn)%6]
		if v.b.Stays && how != "half" {
			how = "stays"
		}
	}
	alive := v.send(ctx, quota, read)
	switch {
	case !alive:
	case how == "goes", how == "resets":
		v.mu.Lock()
		v.ending = leaves
		v.mu.Unlock()
		if how == "resets" {
			abort(v.raw)
			_ = v.raw.Close()
		}
	case how == "half":
		if tc, ok := v.c.(*tls.Conn); ok && turn%2 == 0 {
			_ = tc.CloseWrite() // close_notify alone
		} else {
			_ = v.raw.CloseWrite()
		}
		v.wait(read, false)
	default:
		v.wait(read, true)
	}
	v.c.Close()
	<-read
}

// send writes requests, and ACKs with them, until the quota is done; false when the connection is gone or ctx over.
func (v *visit) send(ctx context.Context, quota int, read <-chan struct{}) bool {
	var out []byte
	for range quota {
		select {
		case v.room <- struct{}{}:
		default:
			out = v.takeACKs(out)
			if _, err := v.c.Write(out); err != nil {
				return false
			}
			out = out[:0]
			if !v.enter(ctx, read) {
				return false
			}
		}
		i := int(v.b.begun.Add(1)) - 1
		if i >= v.b.Total {
			break
		}
		if out = v.request(out, i); len(out) >= 16<<10 {
			if _, err := v.c.Write(out); err != nil {
				return false
			}
			out = out[:0]
		}
	}
	_, err := v.c.Write(v.takeACKs(out))
	return err == nil
}

// enter waits for a place in the window.
func (v *visit) enter(ctx context.Context, read <-chan struct{}) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case v.room <- struct{}{}:
			return true
		case <-v.kick:
			if _, err := v.c.Write(v.takeACKs(nil)); err != nil {
				return false
			}
		case <-tick.C:
			v.giveUp()
		case <-read:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (v *visit) takeACKs(out []byte) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	out = append(out, v.acks...)
	v.acks = v.acks[:0]
	return out
}

// giveUp waits no more for what has waited for too long, and returns how many are under way.
func (v *visit) giveUp() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, since := range v.under {
		if time.Since(since) > v.b.Timeout {
			delete(v.under, i)
			<-v.room
		}
	}
	return len(v.under)
}

// wait waits until nothing is under way or the connection is gone.
func (v *visit) wait(read <-chan struct{}, acks bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for v.giveUp() > 0 {
		select {
		case <-v.kick:
			if acks {
				_, _ = v.c.Write(v.takeACKs(nil))
			}
		case <-tick.C:
		case <-read:
			return
		}
	}
	v.mu.Lock()
	v.ending = waited
	v.mu.Unlock()
}

// request enters a request into the book and appends it to out.
func (v *visit) request(out []byte, i int) []byte {
	b := v.b
	e := &b.entries[i]
	method := "MESSAGE"
	now := time.Now()
	b.mu.Lock()
	e.to, e.invite, e.sent, e.by = b.pick(i), i%2 == 0, now, v
	uri := b.Destinations[e.to].URI()
	b.mu.Unlock()
	if e.invite {
		method = "INVITE"
	}
	v.mu.Lock()
	v.under[i] = now
	over := v.over
	v.mu.Unlock()
	if over {
		b.mu.Lock()
		e.cross = true
		b.mu.Unlock()
	}
	return v.head(out, method, uri, i, "<"+uri+">")
}

func (v *visit) head(out []byte, method, uri string, i int, to string) []byte {
	local, transport, id := v.c.LocalAddr().String(), "TCP", v.b.callID(i)
	if v.c != net.Conn(v.raw) {
		transport = "TLS"
	}
	return fmt.Appendf(out, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:ledger@%s>;tag=%s\r\n"+
		"To: %s\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContact: <sip:ledger@%s>\r\nContent-Length: 0\r\n\r\n",
		method, uri, transport, local, id, local, id, to, id, method, local)
}

// read enters the answers into the book.
func (v *visit) read() {
	in := NewReader(v.c)
	var m Message
	for {
		if err := in.Next(&m); err != nil {
			v.ended(err)
			return
		}
		switch {
		case m.Request:
			v.b.strange("a request: " + string(m.Method))
		case m.Status >= 200:
			v.final(&m)
		}
	}
}

func (b *book) strange(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.account.Strange) < 16 {
		b.account.Strange[what]++
	}
}

// final enters one.
func (v *visit) final(m *Message) {
	b := v.b
	run, number, _ := strings.Cut(string(m.CallID), ".")
	i, err := strconv.Atoi(number)
	if err != nil || run != b.run || i < 0 || i >= b.Total {
		b.strange("an answer to nothing that was sent")
		return
	}
	b.mu.Lock()
	e := &b.entries[i]
	mine := e.by == v
	if mine {
		e.finals++
	}
	first, invite, to := e.finals == 1, e.invite, b.Destinations[e.to]
	if first && mine {
		by := b.account.Answered[to.fault]
		if by == nil {
			by = map[int]int{}
			b.account.Answered[to.fault] = by
		}
		by[m.Status]++
		b.account.Slowest[to.fault] = max(b.account.Slowest[to.fault], time.Since(e.sent))
	}
	b.mu.Unlock()
	if !mine {
		b.strange("an answer to another's request")
		return
	}
	v.mu.Lock()
	_, waits := v.under[i]
	delete(v.under, i)
	if invite {
		v.acks = v.head(v.acks, "ACK", to.URI(), i, string(m.To))
	}
	v.mu.Unlock()
	switch {
	case !waits:
	case m.Status == 503: // a client that is told to come again does so later
		time.AfterFunc(refused, func() { <-v.room })
	default:
		<-v.room
	}
	select {
	case v.kick <- struct{}{}:
	default:
	}
}

// ended writes down why those that are not answered will not be.
func (v *visit) ended(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
	b := v.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if v.ending == cut && len(v.under) > 0 {
		why := err.Error()
		if i := strings.LastIndex(why, ": "); i >= 0 {
			why = why[i+2:]
		}
		b.account.Cuts[why]++
	}
	for i := range v.under {
		e := &b.entries[i]
		e.gone, e.cut = v.ending == leaves, v.ending == cut
		e.cross = e.cut && errors.Is(err, io.EOF) && time.Since(e.sent) < crossing
	}
}
