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
func (l link) once(t testing.TB, good bool) {
	s, serr := l.server.NewServer(listener, caller)
	c, cerr := l.client.NewClient(query("sip.example.com"))
	if err := errors.Join(serr, cerr); err != nil {
		t.Fatal(err)
	}
	server, client := &end{Machine: s}, &end{Machine: c}
	cut := whole
	if !good {
		n := 0
		cut = func(left int) int {
			if n++; n == 3 {
				server.step([]byte("rubbish"))
			}
			return min(left, 300)
		}
	}
	wire(client, server, cut)
	if good && errors.Join(server.err, client.err) != nil {
		t.Fatal(server.err, client.err)
	}
	s.Stop()
	c.Stop()
}

func times() int {
	if testing.Short() || raceDetector {
		return 100
	}
	return 1000
}

// growth is how much C's heap grows while f is done that often: the least of
// some rounds, since the allocator and the threads have caches of their own that
// fill at first. A leak grows in every round.
func growth(t *testing.T, f func(i int)) int64 {
	t.Helper()
	least := int64(1) << 62
	for range 4 {
		before, pages := openssl.HeapInUse(), resident(t)
		for i := range times() / 4 {
			f(i)
		}
		for range 3 {
			collect()
		}
		n := openssl.HeapInUse() - before
		t.Logf("%d times: %+d bytes of C heap, %+d kB resident", times()/4, n, (resident(t)-pages)>>10)
		least = min(least, n)
	}
	return least
}

// A thousand handshakes, full, resumed and failed, leave nothing behind.
func TestHandshakesGrowNothing(t *testing.T) {
	w := newWorld(t)
	machines := openssl.LiveMachines()
	for _, tickets := range []*bool{yes(), no()} {
		l := w.link(t, pairing{libssl, libssl}, func(s, _ *tlsstate.DomainConfig) { s.SessionTickets = tickets })
		for i := range 100 {
			l.once(t, i%4 != 3)
		}
		if n := growth(t, func(i int) { l.once(t, i%4 != 3) }); n > 32<<10 {
			t.Errorf("libssl holds %d bytes more", n)
		}
	}
	if n := openssl.LiveMachines(); n != machines {
		t.Errorf("%d machines are left", n-machines)
	}
}

// A thousand sets, each used, leave nothing behind.
func TestBuildsGrowNothing(t *testing.T) {
	w := newWorld(t)
	settled(t, 0)
	keys := tlsstate.NewTicketKeys()
	n := growth(t, func(int) {
		set := buildConfig(t, libssl, tlsstate.Config{
			Domains: []tlsstate.DomainConfig{w.serverDomain(), w.clientDomain()}, TicketKeys: keys})
		link{set, set}.once(t, true)
	})
	if settled(t, 0); n > 64<<10 {
		t.Errorf("libssl holds %d bytes more", n)
	}
}

// A set that could not be built leaves nothing either.
func TestFailedBuildsGrowNothing(t *testing.T) {
	w := newWorld(t)
	settled(t, 0)
	bad := w.clientDomain()
	bad.Curves = "X25519MLKEM768"
	for range 100 {
		if _, err := libssl.build(tlsstate.Config{Domains: []tlsstate.DomainConfig{w.serverDomain(), bad}}); err == nil {
			t.Fatal("built")
		}
	}
	settled(t, 0)
}

// A machine keeps its domain alive, whoever else has let go of the set.
func TestMachineOutlivesSet(t *testing.T) {
	w := newWorld(t)
	l := w.link(t, pairing{libssl, libssl}, nil)
	server, client := newServer(t, l.server), newClient(t, l.client, "sip.example.com")
	l = link{}
	collect()
	wire(client, server, oneByte)
	collect()
	exchange(t, server, client, whole, text(600))
	goodbye(t, client, server)
}
