package tlsstate

import (
	"net/netip"
	"runtime"
	"testing"
)

// idleSet has a server and a client domain with one ephemeral certificate.
func idleSet(t testing.TB) *Set { return benchSet(t, false, "", true) }

func benchSet(t testing.TB, rsa bool, method string, tickets bool) *Set {
	t.Helper()
	cert, key, err := Ephemeral([]string{"localhost"}, rsa)
	if err != nil {
		t.Fatal(err)
	}
	verify := false
	set, err := Build(Config{Domains: []DomainConfig{
		{Name: "in", Role: Server, VerifyCert: &verify, Method: method, SessionTickets: &tickets,
			Certificates: []KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}},
		{Name: "out", Role: Client, CAPEM: cert},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

var benchAddr = netip.MustParseAddrPort("127.0.0.1:5061")

func newPair(t testing.TB, set *Set) (server, client *machine) {
	t.Helper()
	s, err := set.NewServer(benchAddr, benchAddr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.NewClient(ClientQuery{SIPDomain: "localhost", Addr: benchAddr})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*machine), c.(*machine)
}

// pass moves output from one machine to the other and lets it go on.
func pass(t testing.TB, from, to *machine, p []byte) {
	t.Helper()
	if len(from.Output()) > 0 {
		to.Feed(from.Output())
		if to.phase == Handshaking {
			if err := to.Handshake(); err != nil && err != ErrWantRead {
				t.Fatal(err)
			}
		}
		if to.phase == Established {
			if _, err := to.Read(p); err != ErrWantRead {
				t.Fatal(err)
			}
		}
		from.Sent(len(from.Output()))
	}
}

// idlePair is a pair whose handshake and tickets are over.
func idlePair(t testing.TB, set *Set) (server, client *machine) {
	t.Helper()
	server, client = newPair(t, set)
	p := make([]byte, 16384)
	if err := client.Handshake(); err != ErrWantRead {
		t.Fatal(err)
	}
	for range 3 {
		pass(t, client, server, p)
		pass(t, server, client, p)
	}
	if server.phase != Established || client.phase != Established {
		t.Fatal(server.phase, client.phase)
	}
	return server, client
}

// Handshakes, both sides together: ns/op is the CPU time of a server and a
// client.
func BenchmarkHandshake(b *testing.B) {
	for _, c := range []struct {
		name    string
		rsa     bool
		method  string
		tickets bool
	}{
		{"ecdsa/1.3/full", false, "TLSv1_3", false},
		{"ecdsa/1.3/resumed", false, "TLSv1_3", true},
		{"ecdsa/1.2/full", false, "TLSv1_2", false},
		{"ecdsa/1.2/resumed", false, "TLSv1_2", true},
		{"rsa/1.3/full", true, "TLSv1_3", false},
		{"rsa/1.2/full", true, "TLSv1_2", false},
	} {
		b.Run(c.name, func(b *testing.B) {
			set := benchSet(b, c.rsa, c.method, c.tickets)
			idle(b, set)
			b.ReportAllocs()
			for b.Loop() {
				idle(b, set)
			}
		})
	}
}

func idle(t testing.TB, set *Set) {
	server, client := idlePair(t, set)
	server.Stop()
	client.Stop()
}

// BenchmarkServerHandshake measures the server's side alone.
func BenchmarkServerHandshake(b *testing.B) {
	for _, c := range []struct {
		name   string
		rsa    bool
		method string
	}{{"ecdsa/1.3", false, "TLSv1_3"}, {"rsa/1.3", true, "TLSv1_3"}} {
		b.Run(c.name, func(b *testing.B) {
			set := benchSet(b, c.rsa, c.method, false)
			p := make([]byte, 16384)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				server, client := newPair(b, set)
				if err := client.Handshake(); err != ErrWantRead {
					b.Fatal(err)
				}
				for server.phase == Handshaking {
					b.StartTimer()
					pass(b, client, server, p)
					b.StopTimer()
					pass(b, server, client, p)
				}
				server.Stop()
				client.Stop()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkMessage seals and opens a message of 600 bytes.
func BenchmarkMessage(b *testing.B) {
	for _, method := range []string{"TLSv1_2", "TLSv1_3"} {
		b.Run(method, func(b *testing.B) {
			server, client := idlePair(b, benchSet(b, false, method, true))
			defer server.Stop()
			defer client.Stop()
			message, p := make([]byte, 600), make([]byte, 16384)
			b.ReportAllocs()
			b.SetBytes(600)
			for b.Loop() {
				if _, err := client.Write(message); err != nil {
					b.Fatal(err)
				}
				server.Feed(client.Output())
				if n, err := server.Read(p); n != 600 || err != nil {
					b.Fatal(n, err)
				}
				if _, err := server.Read(p); err != ErrWantRead {
					b.Fatal(err)
				}
				client.Sent(len(client.Output()))
			}
		})
	}
}

// A message must not allocate, on either side.
func TestMessageDoesNotAllocate(t *testing.T) {
	server, client := idlePair(t, idleSet(t))
	defer server.Stop()
	defer client.Stop()
	message, p := make([]byte, 600), make([]byte, 16384)
	allocs := testing.AllocsPerRun(200, func() {
		_, _ = client.Write(message)
		server.Feed(client.Output())
		for {
			if _, err := server.Read(p); err != nil {
				break
			}
		}
		client.Sent(len(client.Output()))
	})
	if allocs >= 1 && !raceDetector {
		t.Errorf("%v allocations", allocs)
	}
}

// BenchmarkWake feeds a handshake one byte that does not wake it.
func BenchmarkWake(b *testing.B) {
	set := idleSet(b)
	server, client := newPair(b, set)
	defer server.Stop()
	defer client.Stop()
	if err := client.Handshake(); err != ErrWantRead {
		b.Fatal(err)
	}
	server.Feed(client.Output()[:10])
	for b.Loop() {
		if err := server.Handshake(); err != ErrWantRead {
			b.Fatal(err)
		}
	}
}

// BenchmarkSwitch is the cost of parking a handshake's coroutine and of waking
// it.
func BenchmarkSwitch(b *testing.B) {
	set := idleSet(b)
	server, client := newPair(b, set)
	defer server.Stop()
	defer client.Stop()
	if err := client.Handshake(); err != ErrWantRead {
		b.Fatal(err)
	}
	for b.Loop() {
		client.next()
	}
}

// BenchmarkIdle tells how much heap and stack an established, idle machine
// holds.
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		set := idleSet(b)
		const n = 2000
		machines := make([]*machine, 0, 2*n)
		before := inUse()
		for range n {
			s, c := idlePair(b, set)
			machines = append(machines, s, c)
		}
		perPair := float64(inUse()-before) / n
		for i := 0; i < len(machines); i += 2 {
			machines[i+1].Stop()
			machines[i+1] = nil
		}
		server := float64(inUse()-before) / n
		b.ReportMetric(server, "B/server")
		b.ReportMetric(perPair-server, "B/client")
		for i := 0; i < len(machines); i += 2 {
			machines[i].Stop()
		}
	}
}

// BenchmarkParked tells what a handshake holds that waits for the client's
// second flight.
func BenchmarkParked(b *testing.B) {
	for b.Loop() {
		set := idleSet(b)
		const n = 500
		machines := make([]*machine, 0, n)
		before := inUse()
		for range n {
			s, c := newPair(b, set)
			if err := c.Handshake(); err != ErrWantRead {
				b.Fatal(err)
			}
			pass(b, c, s, nil)
			s.Sent(len(s.Output()))
			c.Stop()
			machines = append(machines, s)
		}
		b.ReportMetric(float64(inUse()-before)/n, "B/conn")
		for _, m := range machines {
			m.Stop()
		}
	}
}

// inUse is the heap and the stacks, garbage and pools aside.
func inUse() uint64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
