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
	_ "sipreactor/tlsstate/libcrypto" // is measured beside the others
	"sipreactor/tlsstate/openssl"
	"sipreactor/tlsstate/tlstest"
)

// benchLink is a server of one library and a client on crypto/tls, which is
// always the same and not measured.
func benchLink(t testing.TB, lib tlsstate.Library, rsa bool, method string, tickets bool) tlstest.Link {
	t.Helper()
	cert, key, err := tlsstate.Ephemeral([]string{"sip.example.com"}, rsa)
	if err != nil {
		t.Fatal(err)
	}
	return tlstest.Join(
		tlstest.Build(t, lib, tlsstate.DomainConfig{Name: "in", Role: tlsstate.Server, VerifyCert: tlstest.No(), Method: method, SessionTickets: &tickets,
			Curves: "X25519:P-256", Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}}),
		tlstest.Build(t, tlstest.GoLibrary, tlsstate.DomainConfig{Name: "out", Role: tlsstate.Client, CAPEM: cert, Curves: "X25519:P-256"}))
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
				for _, lib := range tlsstate.Libraries() {
					b.Run(fmt.Sprintf("%s/%s/%s/%s", key, version, kind, lib.Name), func(b *testing.B) {
						l := benchLink(b, lib, key == "rsa", version, kind == "resumed")
						serve(b, l)
						serve(b, l)
						var spent time.Duration
						wired, measured := 0, 0
						for b.Loop() {
							m, n := serve(b, l)
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
func serve(t testing.TB, l tlstest.Link) (m meter, wired int) {
	var server tlsstate.Machine
	var err error
	m.time(func() { server, err = l.Server.NewServer(tlstest.Listener, tlstest.Caller) })
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Client.NewClient(tlstest.Query("sip.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	client := &tlstest.End{Machine: c}
	client.Step(nil)
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
		client.Step(out)
	}
	if server.Phase() != tlsstate.Established || client.Err != nil {
		t.Fatal(server.Phase(), client.Err)
	}
	client.Stop()
	m.time(server.Stop)
	return m, wired
}

// BenchmarkMessage seals a message of 600 bytes in one machine and opens it in
// another of the same library.
func BenchmarkMessage(b *testing.B) {
	w := tlstest.NewWorld(b)
	for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
		for _, lib := range tlsstate.Libraries() {
			b.Run(version+"/"+lib.Name, func(b *testing.B) {
				server, client := tlstest.Pairing{Server: lib, Client: lib}.Link(b, w, func(s, _ *tlsstate.DomainConfig) {
					s.Method, s.Ciphers = version, "ECDHE-ECDSA-AES128-GCM-SHA256"
				}).Connect(b, "sip.example.com", tlstest.Whole)
				message, p := tlstest.Text(600), make([]byte, 16384)
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

func relay(t testing.TB, from, to *tlstest.End, message, p []byte) {
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
	w := tlstest.NewWorld(t)
	server, client := tlstest.Pairing{Server: libssl, Client: libssl}.Link(t, w, nil).Connect(t, "sip.example.com", tlstest.Whole)
	message, p := tlstest.Text(600), make([]byte, 16384)
	if n := testing.AllocsPerRun(200, func() { relay(t, client, server, message, p) }); n >= 1 && !tlstest.RaceDetector {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkIdle tells what an established, idle server machine holds, in Go's
// heap and in C's.
func BenchmarkIdle(b *testing.B) {
	w := tlstest.NewWorld(b)
	for _, lib := range tlsstate.Libraries() {
		b.Run(lib.Name, func(b *testing.B) {
			for b.Loop() {
				const n = 1000
				l := tlstest.Pairing{Server: lib, Client: tlstest.GoLibrary}.Link(b, w, func(s, c *tlsstate.DomainConfig) {
					s.VerifyCert, c.SessionTickets = tlstest.No(), tlstest.No()
				})
				machines := make([]tlsstate.Machine, 0, n)
				goHeap, cHeap := heap(), openssl.HeapInUse()
				for range n {
					server, err := l.Server.NewServer(tlstest.Listener, tlstest.Caller)
					if err != nil {
						b.Fatal(err)
					}
					client, err := l.Client.NewClient(tlstest.Query("sip.example.com"))
					if err != nil {
						b.Fatal(err)
					}
					tlstest.Wire(&tlstest.End{Machine: client}, &tlstest.End{Machine: server}, tlstest.Whole)
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
