//go:build openssl

package openssl_test

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/openssl"
	"sipreactor/tlsstate/tlstest"
)

// collect lets the clean-ups of what nobody refers to any more run.
func collect() {
	for range 3 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
}

// settled waits for the domains of sets that are gone to be freed.
func settled(t *testing.T, want int64) {
	t.Helper()
	for range 200 {
		if collect(); openssl.LiveDomains() <= want {
			return
		}
	}
	t.Errorf("%d domains hold memory, want %d", openssl.LiveDomains(), want)
}

// resident is the memory of the process, of Go and of C, in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// once makes a connection from hello to Stop, of which every other ends in a
// failure.
func once(t testing.TB, l tlstest.Link, good bool) {
	s, serr := l.Server.NewServer(tlstest.Listener, tlstest.Caller)
	c, cerr := l.Client.NewClient(tlstest.Query("sip.example.com"))
	if err := errors.Join(serr, cerr); err != nil {
		t.Fatal(err)
	}
	server, client := &tlstest.End{Machine: s}, &tlstest.End{Machine: c}
	cut := tlstest.Whole
	if !good {
		n := 0
		cut = func(left int) int {
			if n++; n == 3 {
				server.Step([]byte("rubbish"))
			}
			return min(left, 300)
		}
	}
	tlstest.Wire(client, server, cut)
	if good && errors.Join(server.Err, client.Err) != nil {
		t.Fatal(server.Err, client.Err)
	}
	s.Stop()
	c.Stop()
}

func times() int {
	if testing.Short() || tlstest.RaceDetector {
		return 400
	}
	return 1000
}

// grows does f a thousand times and more, in rounds, and tells whether C's heap
// grows by more than limit in each: the allocator and the threads have caches of
// their own that fill at first, the slower the busier the machine is. A leak
// grows in every round.
func grows(t *testing.T, limit int64, f func(i int)) bool {
	t.Helper()
	const rounds = 12
	for round := range rounds {
		before, pages := openssl.HeapInUse(), resident(t)
		for i := range times() / 4 {
			f(i)
		}
		for range 3 {
			collect()
		}
		n := openssl.HeapInUse() - before
		t.Logf("%d times: %+d bytes of C heap, %+d kB resident", times()/4, n, (resident(t)-pages)>>10)
		if n <= limit && round >= 3 {
			return false
		}
	}
	return true
}

// A thousand handshakes, full, resumed and failed, leave nothing behind.
func TestHandshakesGrowNothing(t *testing.T) {
	w := tlstest.NewWorld(t)
	machines := openssl.LiveMachines()
	for _, tickets := range []*bool{tlstest.Yes(), tlstest.No()} {
		l := tlstest.Pairing{Server: libssl, Client: libssl}.Link(t, w, func(s, _ *tlsstate.DomainConfig) { s.SessionTickets = tickets })
		for i := range 100 {
			once(t, l, i%4 != 3)
		}
		if grows(t, 32<<10, func(i int) { once(t, l, i%4 != 3) }) {
			t.Error("libssl holds more with every round")
		}
	}
	if n := openssl.LiveMachines(); n != machines {
		t.Errorf("%d machines are left", n-machines)
	}
}

// A thousand sets, each used, leave nothing behind.
func TestBuildsGrowNothing(t *testing.T) {
	w := tlstest.NewWorld(t)
	settled(t, 0)
	keys := tlsstate.NewTicketKeys()
	more := grows(t, 64<<10, func(int) {
		set := tlstest.BuildConfig(t, libssl, tlsstate.Config{
			Domains: []tlsstate.DomainConfig{w.ServerDomain(), w.ClientDomain()}, TicketKeys: keys})
		once(t, tlstest.Join(set, set), true)
	})
	if settled(t, 0); more {
		t.Error("libssl holds more with every round")
	}
}

// A set that could not be built leaves nothing either.
func TestFailedBuildsGrowNothing(t *testing.T) {
	w := tlstest.NewWorld(t)
	settled(t, 0)
	bad := w.ClientDomain()
	bad.Curves = "X25519MLKEM768"
	for range 100 {
		if _, err := libssl.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{w.ServerDomain(), bad}}); err == nil {
			t.Fatal("built")
		}
	}
	settled(t, 0)
}

// A machine keeps its domain alive, whoever else has let go of the set.
func TestMachineOutlivesSet(t *testing.T) {
	w := tlstest.NewWorld(t)
	l := tlstest.Pairing{Server: libssl, Client: libssl}.Link(t, w, nil)
	server, client := tlstest.NewServer(t, l.Server), tlstest.NewClient(t, l.Client, "sip.example.com")
	l = tlstest.Link{}
	collect()
	tlstest.Wire(client, server, tlstest.OneByte)
	collect()
	tlstest.Exchange(t, server, client, tlstest.Whole, tlstest.Text(600))
	tlstest.Goodbye(t, client, server)
}
