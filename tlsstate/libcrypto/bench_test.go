//go:build openssl

package libcrypto_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/libcrypto"
	_ "sipreactor/tlsstate/openssl"
)

var here = netip.MustParseAddrPort("127.0.0.1:5061")

func serverAndClient(t testing.TB, lib tlsstate.Library, useRSA bool, method string) (server, client tlsstate.Domains) {
	t.Helper()
	cert, key, err := tlsstate.Ephemeral([]string{"localhost"}, useRSA)
	if err != nil {
		t.Fatal(err)
	}
	pair := tlsstate.KeyPair{CertificatePEM: cert, PrivateKeyPEM: key}
	no := false
	if server, err = lib.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "in", Role: tlsstate.Server,
		VerifyCert: &no, SessionTickets: &no, Method: method, Curves: "X25519:P-256", Certificates: []tlsstate.KeyPair{pair}}}}); err != nil {
		t.Fatal(err)
	}
	if client, err = tlsstate.Build(tlsstate.Config{Domains: []tlsstate.DomainConfig{{Name: "out", Role: tlsstate.Client,
		CAPEM: cert, SessionTickets: &no, Curves: "X25519:P-256"}}}); err != nil {
		t.Fatal(err)
	}
	return server, client
}

// BenchmarkServerHandshake is the CPU time of a server's side of a full
// handshake: server-ns/op. It is that of the process, so run it with GOMAXPROCS=1.
func BenchmarkServerHandshake(b *testing.B) {
	for _, key := range []string{"rsa", "ecdsa"} {
		for _, version := range []string{"TLSv1_2", "TLSv1_3"} {
			for _, lib := range tlsstate.Libraries() {
				b.Run(fmt.Sprintf("%s/%s/%s", key, version, lib.Name), func(b *testing.B) {
					server, client := serverAndClient(b, lib, key == "rsa", version)
					serve(b, server, client)
					var spent time.Duration
					for b.Loop() {
						spent += serve(b, server, client)
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "server-ns/op")
				})
			}
		}
	}
}

// cpu is the time that this process has computed: a coroutine may change threads.
func cpu() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}

func serve(t testing.TB, servers, clients tlsstate.Domains) (spent time.Duration) {
	t.Helper()
	measure := func(f func()) {
		began := cpu()
		f()
		spent += cpu() - began
	}
	client, err := clients.NewClient(tlsstate.ClientQuery{SIPDomain: "localhost", Addr: here})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Stop()
	var server tlsstate.Machine
	measure(func() { server, err = servers.NewServer(here, here) })
	if err != nil {
		t.Fatal(err)
	}
	for client.Phase() == tlsstate.Handshaking || server.Phase() == tlsstate.Handshaking {
		if err := client.Handshake(); client.Phase() == tlsstate.Handshaking && err != tlsstate.ErrWantRead {
			t.Fatal(err)
		}
		out := client.Output()
		measure(func() {
			server.Feed(out)
			if server.Phase() == tlsstate.Handshaking {
				err = server.Handshake()
			}
		})
		if server.Phase() == tlsstate.Handshaking && err != tlsstate.ErrWantRead {
			t.Fatal(err)
		}
		client.Sent(len(out))
		client.Feed(server.Output())
		server.Sent(len(server.Output()))
	}
	measure(server.Stop)
	return spent
}

// BenchmarkSign is one signature, of Go and of libcrypto.
func BenchmarkSign(b *testing.B) {
	digest := sha256.Sum256([]byte("a handshake"))
	for _, kind := range []string{"rsa", "ecdsa"} {
		plain := newKey(b, kind)
		fast, err := libcrypto.Signer(plain)
		if err != nil {
			b.Fatal(err)
		}
		for name, k := range map[string]crypto.Signer{"go": plain, "libcrypto": fast} {
			opts := crypto.SignerOpts(crypto.SHA256)
			if kind == "rsa" {
				opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
			}
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := k.Sign(rand.Reader, digest[:], opts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
