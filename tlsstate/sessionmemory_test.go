package tlsstate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"testing"
	"time"
)

// padded is a certificate with an extension of so many bytes, and its key.
func padded(t *testing.T, n int64, size int) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pad := make([]byte, size)
	_, _ = rand.Read(pad)
	c := &x509.Certificate{SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: fmt.Sprint(n)}, NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: pad}}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// remember has a session with a server of the certificate put into the slot.
func remember(t *testing.T, cert tls.Certificate, slot *sessionSlot) {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() {
		s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12})
		done <- s.Handshake()
		_, _ = io.Copy(io.Discard, s)
	}()
	c := tls.Client(a, &tls.Config{InsecureSkipVerify: true, ClientSessionCache: slot, ServerName: "x", MaxVersion: tls.VersionTLS12}) //nolint:gosec // a test
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	a.Close()
	b.Close()
}

// Sessions keep their chains, which are checked again when they are resumed, and
// cost what SessionBytesKept says, whatever chains peers have.
func TestSessionMemory(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	if raceDetector {
		t.Skip("the race detector's memory is no measure")
	}
	for _, tt := range []struct{ size, peers int }{{90 << 10, SessionBytesKept / (90 << 10)}, {10, 400}} {
		c := newSessionCache()
		before := heap()
		for i := range tt.peers {
			remember(t, padded(t, int64(i), tt.size), c.slot(fmt.Sprint(i)))
		}
		kept := 0
		for i := range tt.peers {
			if _, ok := c.slot(fmt.Sprint(i)).Get(""); ok {
				kept++
			}
		}
		grown := heap() - before
		t.Logf("%d peers with %d bytes: %d are kept in %d kB", tt.peers, tt.size, kept, grown>>10)
		if grown > SessionBytesKept*5/4 || kept == 0 || tt.size > 1000 && grown < SessionBytesKept*3/4 {
			t.Errorf("%d peers with %d bytes: %d are kept in %d kB", tt.peers, tt.size, kept, grown>>10)
		}
		runtime.KeepAlive(c)
	}
}
