package reactor

import (
	"bufio"
	"context"
	"crypto"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sipreactor/tlsstate"
)

// farKey is a key that signs elsewhere, once it may.
type farKey struct {
	crypto.Signer
	asked atomic.Int32
	mu    sync.Mutex
	shut  bool
	wait  []func()
}

func (k *farKey) SignAsync(digest []byte, opts crypto.SignerOpts, done func([]byte, error)) {
	digest = append([]byte(nil), digest...)
	sign := func() { done(k.Sign(nil, digest, opts)) }
	k.asked.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shut {
		k.wait = append(k.wait, sign)
		return
	}
	go sign()
}

// open has the key sign what waits, and at once from now on.
func (k *farKey) open() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut = false
	for _, sign := range k.wait {
		go sign()
	}
	k.wait = nil
}

// startFar runs an engine with one loop, which computes handshakes for so long,
// and one handshaker. Its key signs nothing yet.
func startFar(t *testing.T, limit time.Duration, change func(*Config)) (*rig, *farKey) {
	t.Helper()
	pair, err := identity()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := tls.X509KeyPair(pair[0], pair[1])
	if err != nil {
		t.Fatal(err)
	}
	key := &farKey{Signer: parsed.PrivateKey.(crypto.Signer), shut: true}
	no := false
	domains, err := tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "in", Role: tlsstate.Server, VerifyCert: &no,
		Certificates: []tlsstate.KeyPair{{CertificatePEM: pair[0], Signer: key}}}}}) // crypto/tls: libssl takes no such key
	if err != nil {
		t.Fatal(err)
	}
	return start(t, &script{message: echo}, func(c *Config) {
		c.InlineHandshake, c.Loops, c.Handshakers = limit, 1, 1
		c.Domains = domains
		if change != nil {
			change(c)
		}
	}), key
}

// whoComputes is the loop or a handshaker.
var whoComputes = []time.Duration{patience, 0}

// Handshakes that wait for signatures hold up nobody, and run no clock of the
// peer's.
func TestSigning(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second // twenty handshakes have to come to their signatures in it on a busy machine
	for _, limit := range whoComputes {
		r, key := startFar(t, limit, func(c *Config) { c.TLS.HandshakeTimeout = most })
		const conns = 20
		done := make(chan struct{}, conns)
		var all sync.WaitGroup
		for range conns {
			all.Go(func() {
				r.talk()
				done <- struct{}{}
			})
		}
		r.eventually("all wait for a signature", func() bool { return r.Stats().HandshakesWaiting == conns && int(key.asked.Load()) == conns })
		plain := r.dial(TCP)
		if _, err := plain.Write([]byte(request("OPTIONS", "x", 1, ""))); err != nil {
			t.Fatal(err)
		}
		if _, err := readMessage(bufio.NewReader(plain)); err != nil {
			t.Fatal(err)
		}
		plain.Close()
		time.Sleep(most + most/4) // more than a peer may take: that its clock does not run is what is tested
		if n := r.Connections(); n < conns || len(done) > 0 {
			t.Errorf("%d connections are left, %d are done", n, len(done))
		}
		key.open()
		all.Wait()
		if !strings.Contains(r.log.String(), "waits for a signature") {
			t.Error("the log does not tell of the waits")
		}
		r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
		if s := r.Stats(); s.HandshakesWaiting != 0 || int(key.asked.Load()) != conns {
			t.Errorf("%d handshakes wait, %d signatures", s.HandshakesWaiting, key.asked.Load())
		}
	}
}

// A signature may come at any time, before the loop knows that it waits too.
func TestSigningAtOnce(t *testing.T) {
	for _, limit := range whoComputes {
		r, key := startFar(t, limit, nil)
		key.open()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 25 {
					r.talk()
				}
			})
		}
		all.Wait()
	}
}

// Whose peer is gone does not wait for its signature, which then comes to
// nothing.
func TestSigningForNobody(t *testing.T) {
	for _, limit := range whoComputes {
		r, key := startFar(t, limit, nil)
		hello := clientHello(t)
		for i := range 6 {
			before := key.asked.Load()
			c, err := net.Dial("tcp", r.addr(TLS).String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write(hello); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 { // else while the machine may be away
				r.eventually("it waits", func() bool { return key.asked.Load() > before })
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
		r.eventually("the connections are gone", func() bool { return r.Connections() == 0 })
		r.eventually("none waits", func() bool { return r.Stats().HandshakesWaiting == 0 }) // a handshaker may have had it
		key.open()
		r.talk()
	}
}

// An engine stops without the signatures that it waits for.
func TestSigningAtTheEnd(t *testing.T) {
	for _, limit := range whoComputes {
		r, key := startFar(t, limit, nil)
		c, err := net.Dial("tcp", r.addr(TLS).String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(clientHello(t)); err != nil {
			t.Fatal(err)
		}
		r.eventually("it waits", func() bool { return r.Stats().HandshakesWaiting == 1 && key.asked.Load() == 1 })
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		go key.open() // when there is no loop any more, or about then
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}
