package cookie

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sipreactor/reactor/modules/internal/relay/cookie/cookietest"
	"sipreactor/reactor/ports"
)

var ping = []byte("ping")

const pong = "pong"

// client makes one for an address; a text that begins with a blank, or is none, is no answer.
func client(addr string, timeout time.Duration, retries int, dial Dial) *Client {
	return NewClient(Config{Network: "udp", Addr: addr, Timeout: timeout, Retries: retries, Dial: dial, Valid: func(text []byte) bool {
		return len(text) > 0 && text[0] != ' '
	}})
}

func TestLostAnswers(t *testing.T) {
	var mu sync.Mutex
	cookies := map[string]int{}
	c := client(cookietest.Serve(t, func(cookie, _ []byte) []string {
		mu.Lock()
		defer mu.Unlock()
		if cookies[string(cookie)]++; cookies[string(cookie)] < 3 {
			return nil
		}
		return []string{string(cookie) + " " + pong}
	}), 20*time.Millisecond, 9, nil)
	defer c.Close()
	for range 2 {
		if d, err := c.Do(t.Context(), ping); err != nil || string(d) != pong {
			t.Fatal(d, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(cookies) != 2 {
		t.Errorf("cookies %v", cookies)
	}
}

// Others' cookies, no cookies, what is no answer and doubles are passed over.
func TestGarbage(t *testing.T) {
	c := client(cookietest.Serve(t, func(cookie, _ []byte) []string {
		return []string{"", "x", "other " + pong, string(cookie), string(cookie) + " ", string(cookie) + "  x", string(cookie) + " " + pong, string(cookie) + " " + pong}
	}), 200*time.Millisecond, 100, nil)
	defer c.Close()
	for range 5 {
		if d, err := c.Do(t.Context(), ping); err != nil || string(d) != pong {
			t.Fatal(d, err)
		}
	}
}

func TestSilence(t *testing.T) {
	sent := make(chan struct{}, 9)
	addr := cookietest.Serve(t, func(_, _ []byte) []string { sent <- struct{}{}; return nil })
	c := client(addr, 5*time.Millisecond, 2, nil)
	defer c.Close()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrSilent) {
		t.Error(err)
	}
	for range 2 { // the third one may be on its way when time is over
		<-sent
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(gone, ping); err == nil {
		t.Error("it has an answer")
	}
	if _, err := c.Do(t.Context(), make([]byte, 1<<16)); !errors.Is(err, ErrLarge) {
		t.Error(err)
	}
	if len(c.pending) != 0 {
		t.Errorf("%d are waited for", len(c.pending))
	}
}

func TestNobodyThere(t *testing.T) {
	addr, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	c := client(addr, time.Minute, 5, nil)
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
	c.Close()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// A Close ends who waits.
func TestCloseWhileWaiting(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := client(cookietest.Serve(t, func(_, _ []byte) []string { asked <- struct{}{}; return nil }), time.Minute, 0, nil)
	go func() { <-asked; c.Close() }()
	if _, err := c.Do(t.Context(), ping); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// Many ask at once by one socket, and each gets its own answer.
func TestMany(t *testing.T) {
	c := client(cookietest.Serve(t, func(cookie, body []byte) []string { return []string{string(cookie) + " " + string(body)} }), time.Second, 5, nil)
	defer c.Close()
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if d, err := c.Do(t.Context(), []byte(strconv.Itoa(i))); err != nil || string(d) != strconv.Itoa(i) {
				t.Error(i, d, err)
			}
		})
	}
	all.Wait()
	c.Renew()
	if _, err := c.Do(t.Context(), ping); err != nil {
		t.Error(err)
	}
}

// echoes is an Asker that tells what it gets.
type echoes chan string

func (e echoes) Answered(text []byte, err error) {
	if err != nil {
		e <- err.Error()
		return
	}
	e <- string(text)
}

// Each lane has a socket of its own, opened once and by the first request; what is asked
// meanwhile waits for it.
func TestLanes(t *testing.T) {
	addr := cookietest.Serve(t, func(cookie, body []byte) []string { return []string{string(cookie) + " " + string(body)} })
	var mu sync.Mutex
	opened := map[int]int{}
	hold := make(chan struct{})
	c := client(addr, time.Minute, 0, func(ctx context.Context, lane int, network, addr string, got func([]byte), ended func(error)) (Line, error) {
		mu.Lock()
		opened[lane]++
		mu.Unlock()
		<-hold
		return DialUDP(ctx, lane, network, addr, got, ended)
	})
	defer c.Close()
	to := make(echoes, 100)
	for i := range 20 {
		c.Start(i%3-1, []byte("7"), to)
	}
	close(hold)
	for range 20 {
		if got := <-to; got != "7" {
			t.Error(got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(opened) != 3 || opened[-1] != 1 || opened[0] != 1 || opened[1] != 1 {
		t.Error(opened)
	}
}

// What cannot be opened is told to all who wait for it, and tried again by the next.
func TestLaneThatCannotBeOpened(t *testing.T) {
	fails := errors.New("it fails")
	var tries atomic.Int32
	c := client("x", time.Minute, 0, func(context.Context, int, string, string, func([]byte), func(error)) (Line, error) {
		tries.Add(1)
		return nil, fails
	})
	defer c.Close()
	to := make(echoes, 2)
	for range 2 {
		c.Start(0, []byte("x"), to)
		if got := <-to; got != fails.Error() {
			t.Error(got)
		}
	}
	if tries.Load() != 2 || len(c.pending) != 0 || c.due.first != nil {
		t.Errorf("%d tries, %d wait", tries.Load(), len(c.pending))
	}
}

// mirror is a Line that answers at once, on the goroutine of who sends.
type mirror struct{ got func([]byte) }

func (m *mirror) Send(datagram []byte) error {
	m.got(datagram)
	return nil
}

func (m *mirror) Close() {}

// count is an Asker that counts.
type count int

func (n *count) Answered([]byte, error) { *n++ }

// A request costs no memory, its answer included.
func TestRequestsAllocateNothing(t *testing.T) {
	c := client("x", time.Minute, 0, func(_ context.Context, _ int, _, _ string, got func([]byte), _ func(error)) (Line, error) {
		return &mirror{got}, nil
	})
	defer c.Close()
	opened := make(echoes, 1)
	c.Start(0, []byte("x"), opened)
	<-opened
	var n count
	request := []byte("d7:command4:pinge")
	if allocs := testing.AllocsPerRun(1000, func() { c.Start(0, request, &n) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if n != 1001 || len(c.pending) != 0 {
		t.Errorf("%d answers, %d wait", n, len(c.pending))
	}
}
