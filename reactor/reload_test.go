package reactor

import (
	"bufio"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// What a library holds outside of Go's heap; see openssl_test.go.
var (
	nativeHeap   = func() int64 { return 0 } // bytes
	reloadsAsked = 1000
)

// caller is a peer that sends a message, waits for the echo, and so on.
type caller struct {
	net.Conn
	read   *bufio.Reader
	echoes atomic.Int64
}

func (c *caller) exchange(i int) error {
	want := request("MESSAGE", "traffic", i, "")
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte(want)); err != nil {
		return err
	}
	got, err := readMessage(c.read)
	if err == nil && got != want {
		err = errors.New("another message came back: " + got)
	}
	if err == nil {
		c.echoes.Add(1)
	}
	return err
}

// held is the memory of the process that somebody holds, Go's heap and the
// library's: the least of some looks, since clean-ups free what the library has
// some time after the collector ran, and traffic comes and goes.
func held() int64 {
	least := int64(1) << 62
	for same := 0; same < 5; same++ {
		runtime.GC()
		time.Sleep(2 * time.Millisecond)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if n := int64(m.HeapAlloc) + nativeHeap(); n < least {
			least, same = n, 0
		}
	}
	return least
}

func descriptors(t *testing.T) int {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(dir)
}

// A thousand reloads under traffic grow neither memory nor descriptors; the
// connections that were there stay, and so does who we are on our own.
func TestReloadsUnderTraffic(t *testing.T) {
	authority := tlstest.NewCA(t, "test CA")
	cert, key := authority.Leaf(t, tlstest.Leaf{CN: "edge", DNS: []string{"localhost"}, IPs: []string{"127.0.0.1"}}).Files(t)
	ca, no := authority.File(t), false
	pair := []tlsstate.KeyPair{{CertificateFile: cert, PrivateKeyFile: key}}
	read := func() tlsstate.Domains {
		return buildDomains(t,
			tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, Certificates: pair, CAFile: ca, RequireCert: &no},
			tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, Certificates: pair, CAFile: ca})
	}
	inbox := &script{message: func(*Worker, *Frame) {}}
	to := start(t, inbox, func(c *Config) { c.Domains = read() })
	r := start(t, &script{message: echo}, func(c *Config) {
		c.Domains = read()
		c.TLS.CertCheckOnReuse = true
		c.Observer = nil // the journal of a test keeps every connection's certificates
	})
	r.ca = authority.Pool()

	var (
		traffic sync.WaitGroup
		stop    = make(chan struct{})
		callers [3]*caller
	)
	halt := sync.OnceFunc(func() { close(stop); traffic.Wait() })
	t.Cleanup(halt)
	for i := range callers {
		conn := r.dial(TLS)
		c := &caller{Conn: conn, read: bufio.NewReader(conn)}
		callers[i] = c
		traffic.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := c.exchange(n); err != nil {
					t.Errorf("a connection that was there: %v", err)
					return
				}
			}
		})
	}
	fresh, sent := 0, 0
	reload := func(i int) {
		r.SetDomains(read())
		if _, err := r.Send(r.target(TLS, to), Bytes(request("MESSAGE", "ours", i, ""))); err != nil {
			t.Fatal(err)
		}
		sent++
		if i%25 == 0 { // the new domains answer
			conn := r.dial(TLS)
			c := &caller{Conn: conn, read: bufio.NewReader(conn)}
			if err := c.exchange(i); err != nil {
				t.Fatalf("a connection after %d reloads: %v", i, err)
			}
			conn.Close()
			fresh++
		}
	}
	times := reloadsAsked
	if testing.Short() {
		times = 50
	}

	// What one set of domains holds is measured, so that the bound is a share of
	// what a leak would take, whatever the release and the library.
	before := held()
	kept := make([]tlsstate.Domains, 0, 50)
	for range cap(kept) {
		kept = append(kept, read())
	}
	each := (held() - before) / int64(len(kept))
	clear(kept)

	for i := range 100 {
		reload(i)
	}
	r.eventually("only the lasting connections are left", func() bool { return r.conns.Inbound.Load() == int64(len(callers)) })
	memory, open := held(), descriptors(t)
	echoed := callers[0].echoes.Load()
	began := time.Now()
	for i := range times {
		reload(i)
	}
	took := time.Since(began)
	r.eventually("only the lasting connections are left again", func() bool { return r.conns.Inbound.Load() == int64(len(callers)) })
	grown := held() - memory
	for end := time.Now().Add(patience); descriptors(t) > open && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	t.Logf("%d reloads in %v, %d messages echoed meanwhile on the first connection: memory %d kB, %+d kB (one set holds %d kB); descriptors %d, %+d",
		times, took.Round(time.Millisecond), callers[0].echoes.Load()-echoed, memory>>10, grown>>10, each>>10, open, descriptors(t)-open)
	halt()
	if limit := max(each*int64(times)/4, 2<<20); grown > limit {
		t.Errorf("%d bytes more, the bound is %d", grown, limit)
	}
	if n := descriptors(t); n > open {
		t.Errorf("%d descriptors more", n-open)
	}
	if got := r.Stats().Dials; got != 1 {
		t.Errorf("%d connections to one peer by one identity, want 1", got)
	}
	r.eventually("what we sent arrives", func() bool { return to.Stats().MessagesIn == uint64(sent) })
	for i, c := range callers {
		if c.echoes.Load() == 0 {
			t.Errorf("caller %d had no traffic", i)
		}
	}
}
