package reactor

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor/internal/connection"
	"sipreactor/reactor/internal/phase"
	"sipreactor/reactor/internal/reason"
)

// What is parked costs nothing: a thousand connects and a thousand handshakes
// that wait for silent peers leave the CPU where it was.
func TestParkedCostsNothing(t *testing.T) {
	const each = 1000
	r := start(t, &script{}, func(c *Config) {
		hurried(c)
		c.TLS.HandshakeTimeout, c.ParkedTimeout = time.Minute, time.Minute
	})
	quiet := cpuWhile(2 * time.Second)
	hole, mute := blackHoleOnAll(t), silentOnAll(t)
	for i := range each {
		host := netip.AddrFrom4([4]byte{127, 0, byte(1 + i/250), byte(1 + i%250)})
		for _, port := range []uint16{hole, mute} {
			o, err := r.Send(&Target{Proto: TLS, Addr: netip.AddrPortFrom(host, port)}, Bytes(request("MESSAGE", fmt.Sprint(i), 1, "")))
			if o != Queued || err != nil {
				t.Fatalf("%v:%d: %v, %v", host, port, o, err)
			}
		}
	}
	r.eventually("all connects are parked", func() bool { return r.conns.Connects.Len() == each })
	r.eventually("all handshakes wait", func() bool {
		n := 0
		r.conns.Table.Each(func(c *connection.Conn) {
			if c.Phase() == phase.Handshaking {
				n++
			}
		})
		return n == each
	})
	r.eventually("no ClientHello is to be computed", func() bool { return r.Stats().HandshakesWaiting == 0 })
	// A loop that polled would burn two seconds, or a thousand times a little, whenever one looks; what a busy
	// machine still has to do is over some time.
	bound, parked := quiet+200*time.Millisecond, time.Duration(0)
	for range 5 {
		if parked = cpuWhile(2 * time.Second); parked <= bound {
			break
		}
	}
	t.Logf("CPU in two seconds: %v idle, %v with %d connects and %d handshakes parked", quiet, parked, each, each)
	if parked > bound {
		t.Errorf("what is parked costs %v in two seconds, idle costs %v", parked, quiet)
	}
	r.conns.Table.Each(func(c *connection.Conn) { c.AskClose(reason.Because(ClosedByManagement, "")) })
	r.eventually("all are gone", func() bool { return !r.alive() })
}

// cpuWhile is the CPU that the process takes in a time.
func cpuWhile(d time.Duration) time.Duration {
	before := cpu()
	time.Sleep(d)
	return cpu() - before
}

func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// blackHoleOnAll is a port that answers no SYN on any loopback address.
func blackHoleOnAll(t *testing.T) uint16 {
	t.Helper()
	return blackHoleAt(t, [4]byte{}).Port()
}

// silentOnAll is a port that accepts and says nothing on any loopback address.
func silentOnAll(t *testing.T) uint16 {
	t.Helper()
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan []net.Conn)
	go func() {
		var conns []net.Conn
		for {
			c, err := ln.Accept()
			if err != nil {
				done <- conns
				return
			}
			conns = append(conns, c)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		for _, c := range <-done {
			c.Close()
		}
	})
	return uint16(ln.Addr().(*net.TCPAddr).Port)
}

// Every fault, while another client asks a hundred times a second through the
// same engine: its answers are counted and their p99 is reported.
func TestProbeDuringFaults(t *testing.T) {
	faults := map[string]func(t *testing.T, r *rig) (bother func(i int)){
		"none": func(*testing.T, *rig) func(int) { return func(int) {} },
		"dead destinations": func(t *testing.T, r *rig) func(int) {
			hole := blackHoleOnAll(t)
			var sends sync.WaitGroup
			t.Cleanup(sends.Wait)
			return func(i int) { // each to another one
				host := netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i)})
				sends.Go(func() { _, _ = r.Send(&Target{Proto: TCP, Addr: netip.AddrPortFrom(host, hole)}, Bytes("x")) })
			}
		},
		"refused": func(t *testing.T, r *rig) func(int) {
			to := &Target{Proto: TLS, Addr: refusing(t), Name: "localhost"}
			return func(int) { _, _ = r.Send(to, Bytes("x")) }
		},
		"silent clients": func(t *testing.T, r *rig) func(int) { return func(int) { r.raw(TLS) } },
		"garbage": func(t *testing.T, r *rig) func(int) {
			return func(int) {
				c := r.raw(TLS)
				_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			}
		},
		"resets": func(t *testing.T, r *rig) func(int) {
			return func(int) {
				c := r.raw(TLS)
				_, _ = c.Write([]byte{0x16, 3, 1})
				_ = c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		},
		"reloads": func(t *testing.T, r *rig) func(int) { return func(int) { r.SetDomains(r.cfg.Domains) } },
	}
	for name, begin := range faults {
		t.Run(name, func(t *testing.T) {
			r := start(t, &script{message: echo}, func(c *Config) { hurried(c); c.ParkedTimeout = time.Second })
			bother := begin(t, r)
			c := r.dial(TLS)
			m := []byte(request("OPTIONS", "probe", 1, ""))
			in := make([]byte, len(m))
			var took []time.Duration
			for i := range 60 {
				if i%5 == 0 { // twenty a second
					bother(i / 5)
				}
				begun := time.Now()
				if _, err := c.Write(m); err != nil {
					t.Fatalf("probe %d: %v", i, err)
				}
				for n := 0; n < len(m); {
					k, err := c.Read(in[n:])
					if err != nil {
						t.Fatalf("probe %d: %v", i, err)
					}
					n += k
				}
				took = append(took, time.Since(begun))
				time.Sleep(10 * time.Millisecond)
			}
			slices.Sort(took)
			t.Logf("p50 %v, p99 %v", took[len(took)/2], took[len(took)*99/100])
		})
	}
}
