package tlsstate_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// kinds are the connections that are measured.
var kinds = []struct {
	name, method string
	rsa          bool
}{
	{"TLSv1.3/ECDSA", "TLSv1_3", false},
	{"TLSv1.3/RSA", "TLSv1_3", true},
	{"TLSv1.2/ECDSA", "TLSv1_2", false},
	{"TLSv1.2/RSA", "TLSv1_2", true},
}

// benchSet has a server domain that asks for no certificate and a client domain
// that has none: one signature a full handshake.
func benchSet(b *testing.B, method string, rsa, tickets bool) *tlsstate.Set {
	b.Helper()
	w := newWorld(b)
	w.server = w.ca.Leaf(b, tlstest.Leaf{CN: "server", DNS: []string{"sip.example.com"}, RSA: rsa})
	return w.set(b, func(s, c *tlsstate.DomainConfig) {
		s.Method, c.Certificates = method, nil
		s.VerifyCert = no()
		if !tickets {
			s.SessionTickets, c.SessionTickets = no(), no()
		}
	})
}

// shuttle carries everything from one machine to another and lets it go on.
func shuttle(b *testing.B, from, to tlsstate.Machine, p []byte) {
	out := from.Output()
	to.Feed(out)
	if to.Phase() == tlsstate.Handshaking {
		if err := to.Handshake(); err != nil && !errors.Is(err, tlsstate.ErrWantRead) {
			b.Fatal(err)
		}
	}
	for to.Phase() == tlsstate.Established {
		if _, err := to.Read(p); errors.Is(err, tlsstate.ErrWantRead) {
			break
		} else if err != nil {
			b.Fatal(err)
		}
	}
	from.Sent(len(out))
}

// handshakeOnce brings two machines together and adds up what each side took.
func handshakeOnce(b *testing.B, set *tlsstate.Set, p []byte) (server, client tlsstate.Machine, atServer, atClient time.Duration) {
	b.Helper()
	start := time.Now()
	client, err := set.NewClient(query("sip.example.com"))
	if err != nil {
		b.Fatal(err)
	}
	if err := client.Handshake(); !errors.Is(err, tlsstate.ErrWantRead) {
		b.Fatal(err)
	}
	atClient = time.Since(start)
	start = time.Now()
	if server, err = set.NewServer(listener, caller); err != nil {
		b.Fatal(err)
	}
	for {
		shuttle(b, client, server, p)
		now := time.Now()
		atServer += now.Sub(start)
		shuttle(b, server, client, p)
		start = time.Now()
		atClient += start.Sub(now)
		if server.Phase() == tlsstate.Established && client.Phase() == tlsstate.Established && len(client.Output()) == 0 {
			return server, client, atServer, atClient
		}
	}
}

// A full and a resumed handshake, both sides; server-ns/op and client-ns/op are
// what each of them took.
func BenchmarkHandshake(b *testing.B) {
	for _, k := range kinds {
		for _, resumed := range []bool{false, true} {
			name := k.name + "/full"
			if resumed {
				name = k.name + "/resumed"
			}
			b.Run(name, func(b *testing.B) {
				set := benchSet(b, k.method, k.rsa, resumed)
				p := make([]byte, 16384)
				if resumed {
					server, client, _, _ := handshakeOnce(b, set, p)
					server.Stop()
					client.Stop()
				}
				var atServer, atClient time.Duration
				b.ReportAllocs()
				for b.Loop() {
					server, client, s, c := handshakeOnce(b, set, p)
					if client.State().Resumed != resumed {
						b.Fatal("resumed:", !resumed)
					}
					server.Stop()
					client.Stop()
					atServer += s
					atClient += c
				}
				b.ReportMetric(float64(atServer.Nanoseconds())/float64(b.N), "server-ns/op")
				b.ReportMetric(float64(atClient.Nanoseconds())/float64(b.N), "client-ns/op")
			})
		}
	}
}

// sealAndOpen passes one message from a machine to another.
func sealAndOpen(from, to tlsstate.Machine, message, p []byte) error {
	if _, err := from.Write(message); err != nil {
		return err
	}
	out := from.Output()
	to.Feed(out)
	n, err := to.Read(p)
	if err != nil || n != len(message) {
		return errors.Join(errors.New("not read in one piece"), err)
	}
	if _, err := to.Read(p); !errors.Is(err, tlsstate.ErrWantRead) {
		return errors.Join(errors.New("something is left"), err)
	}
	from.Sent(len(out))
	return nil
}

// One SIP message of 600 bytes, sealed by one machine and opened by another.
func BenchmarkMessage(b *testing.B) {
	for _, k := range kinds {
		if k.rsa {
			continue
		}
		b.Run(k.method, func(b *testing.B) {
			p := make([]byte, 16384)
			server, client, _, _ := handshakeOnce(b, benchSet(b, k.method, false, true), p)
			defer server.Stop()
			defer client.Stop()
			message := text(600)
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if err := sealAndOpen(client, server, message, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Messages cost no allocation, once the buffers are there.
func TestMessagesDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := newWorld(t)
	for _, m := range []string{"TLSv1_2", "TLSv1_3"} {
		server, client := connected(t, w.set(t, method(m)), "sip.example.com", whole)
		message, p := text(600), make([]byte, 16384)
		allocs := testing.AllocsPerRun(200, func() {
			if err := errors.Join(sealAndOpen(client, server, message, p), sealAndOpen(server, client, message, p)); err != nil {
				t.Fatal(err)
			}
		})
		if allocs >= 1 {
			t.Errorf("%s: %v allocations a message and its answer", m, allocs)
		}
	}
}

// What one side of an established connection holds while nothing happens, its
// share of the heap and of the goroutines' stacks.
func BenchmarkIdle(b *testing.B) {
	const connections = 400
	for _, k := range kinds {
		for _, role := range []tlsstate.Role{tlsstate.Server, tlsstate.Client} {
			b.Run(k.name+"/"+role.String(), func(b *testing.B) {
				set := benchSet(b, k.method, k.rsa, true)
				p := make([]byte, 16384)
				var perConn float64
				for b.Loop() {
					machines := make([]tlsstate.Machine, 0, connections)
					before := inUse()
					for range connections {
						server, client, _, _ := handshakeOnce(b, set, p)
						if role == tlsstate.Client {
							server, client = client, server
						}
						client.Stop()
						machines = append(machines, server)
					}
					perConn = float64(inUse()-before) / connections
					for _, m := range machines {
						m.Stop()
					}
				}
				b.ReportMetric(perConn, "B/conn")
			})
		}
	}
}

// inUse is the heap and the stacks after everything that can go has gone.
func inUse() int64 {
	for range 3 { // pools give their content up at the second
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
