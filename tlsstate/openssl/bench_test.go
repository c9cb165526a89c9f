//go:build openssl

package openssl_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/openssl"
)

// benchLink is a server of one library and a client on crypto/tls, which is
// always the same and not measured.
func benchLink(t testing.TB, lib library, rsa bool, method string, tickets bool) link {
	t.Helper()
	cert, key, err := tlsstate.Ephemeral([]string{"sip.example.com"}, rsa)
	if err != nil {
		t.Fatal(err)
	}
	return link{
		build(t, lib, tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, VerifyCert: no(), Method: method, SessionTickets: &tickets,
			Curves: "X25519:P-256", Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}}),
		build(t, goLibrary, tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: cert, Curves: "X25519:P-256"}),
	}
}

// meter adds up the CPU time of the thread that runs. What began on one thread
// and ended on another cannot be told and makes the whole sum worthless.
type meter struct {
	spent time.Duration
	moved bool
}

func (m *meter) time(f func()) {
	thread := unix.Gettid()
	began := threadTime()
	m.moved = m.moved || unix.Gettid() != thread
	f()
	m.moved = m.moved || unix.Gettid() != thread
	m.spent += threadTime() - began
	m.moved = m.moved || unix.Gettid() != thread
}

func threadTime() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		panic(err) // Linux has it
	}
	return time.Duration(now.Nano())
}

// BenchmarkServerHandshake is the server's side of a handshake, from its making
// to its end: server-ns/op is the CPU time, garbage collection in the background
// aside, wire-B/op what both sides send.
func BenchmarkServerHandshake(b *testing.B) {
	for _, key := range []string{"ecdsa", "rsa"} {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, kind := range []string{"full", "resumed"} {
				for _, lib := range libraries {
					b.Run(fmt.Sprintf("%s/%s/%s/%s", key, version, kind, lib.name), func(b *testing.B) {
						l := benchLink(b, lib, key == "rsa", version, kind == "resumed")
						l.serve(b)
						l.serve(b)
						var spent time.Duration
						wired, measured := 0, 0
						for b.Loop() {
							m, n := l.serve(b)
							wired += n
							if !m.moved {
								spent += m.spent
								measured++
							}
						}
						b.ReportMetric(float64(spent.Nanoseconds())/float64(max(measured, 1)), "server-ns/op")
						b.ReportMetric(float64(wired)/float64(b.N), "wire-B/op")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}

// serve makes one handshake and tells what CPU time the server took, and how
// many bytes went over the wire.
func (l link) serve(t testing.TB) (m meter, wired int) {
	var server tlsstate.Machine
	var err error
	m.time(func() { server, err = l.server.NewServer(listener, caller) })
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.client.NewClient(query("sip.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	client := &end{Machine: c}
	client.step(nil)
	for len(client.Output())+len(server.Output()) > 0 {
		out := bytes.Clone(client.Output())
		client.Sent(len(out))
		wired += len(out)
		m.time(func() {
			server.Feed(out)
			err = server.Handshake()
		})
		if err != nil && err != tlsstate.ErrWantRead {
			t.Fatal(err)
		}
		out = bytes.Clone(server.Output())
		server.Sent(len(out))
		wired += len(out)
		client.step(out)
	}
	if server.Phase() != tlsstate.Established || client.err != nil {
		t.Fatal(server.Phase(), client.err)
	}
	client.Stop()
	m.time(server.Stop)
	return m, wired
}

// BenchmarkMessage seals a message of 600 bytes in one machine and opens it in
// another of the same library.
func BenchmarkMessage(b *testing.B) {
	w := newWorld(b)
	for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
		for _, lib := range libraries {
			b.Run(version+"/"+lib.name, func(b *testing.B) {
				server, client := w.link(b, pairing{lib, lib}, func(s, _ *tlsstate.DomainConfig) {
					s.Method, s.Ciphers = version, "ECDHE-ECDSA-AES128-GCM-SHA256"
				}).connect(b, "sip.example.com", whole)
				message, p := text(600), make([]byte, 16384)
				b.ReportAllocs()
				before := processTime()
				for b.Loop() {
					relay(b, client, server, message, p)
				}
				b.ReportMetric(float64((processTime()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// processTime is the CPU time of the whole process.
func processTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		panic(err) // Linux has it
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func relay(t testing.TB, from, to *end, message, p []byte) {
	if _, err := from.Write(message); err != nil {
		t.Fatal(err)
	}
	to.Feed(from.Output())
	if n, err := to.Read(p); n != len(message) || err != nil {
		t.Fatal(n, err)
	}
	if _, err := to.Read(p); err != tlsstate.ErrWantRead {
		t.Fatal(err)
	}
	from.Sent(len(from.Output()))
}

// A message must not allocate in Go's heap, on either side.
func TestMessageDoesNotAllocate(t *testing.T) {
	w := newWorld(t)
	server, client := w.link(t, pairing{libssl, libssl}, nil).connect(t, "sip.example.com", whole)
	message, p := text(600), make([]byte, 16384)
	if n := testing.AllocsPerRun(200, func() { relay(t, client, server, message, p) }); n >= 1 && !raceDetector {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkIdle tells what an established, idle server machine holds, in Go's
// heap and in C's.
func BenchmarkIdle(b *testing.B) {
	w := newWorld(b)
	for _, lib := range libraries {
		b.Run(lib.name, func(b *testing.B) {
			for b.Loop() {
				const n = 1000
				l := w.link(b, pairing{lib, goLibrary}, func(s, c *tlsstate.DomainConfig) {
					s.VerifyCert, c.SessionTickets = no(), no()
				})
				machines := make([]tlsstate.Machine, 0, n)
				goHeap, cHeap := heap(), openssl.HeapInUse()
				for range n {
					server, err := l.server.NewServer(listener, caller)
					if err != nil {
						b.Fatal(err)
					}
					client, err := l.client.NewClient(query("sip.example.com"))
					if err != nil {
						b.Fatal(err)
					}
					wire(&end{Machine: client}, &end{Machine: server}, whole)
					client.Stop()
					machines = append(machines, server)
				}
				b.ReportMetric(float64(heap()-goHeap)/n, "Go-B/conn")
				b.ReportMetric(float64(openssl.HeapInUse()-cHeap)/n, "C-B/conn")
				for _, m := range machines {
					m.Stop()
				}
			}
		})
	}
}

// heap is Go's heap and stacks, garbage and pools aside.
func heap() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
