package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// mutual demands a certificate of those who call us.
const mutual = `modparam("tls_mgm", "verify_cert", "[edge]1")
modparam("tls_mgm", "require_cert", "[edge]1")
modparam("tls_mgm", "ca_list", "[edge]DIR/ca.pem")
`

// library picks one by name.
func library(name string) string { return `modparam("tls_mgm", "tls_library", "` + name + "\")\n" }

// Whatever library a program has: mutual TLS on both legs, OPTIONS and calls,
// while the domains are read again.
func TestEachLibrary(t *testing.T) {
	t.Parallel()
	for _, l := range tlsstate.Libraries() {
		t.Run(l.Name, func(t *testing.T) {
			c := start(t, library(l.Name), mutual)
			for _, d := range (*c.current.Load()).Domains() {
				if d.Library != l.Name {
					t.Errorf("the domain %s is of %s", d.Config.Name, d.Library)
				}
			}
			shown := make(chan *x509.Certificate, 16)
			answering := c.serverConfig()
			answering.ClientAuth = tls.RequireAnyClientCert
			answering.VerifyConnection = func(s tls.ConnectionState) error {
				shown <- s.PeerCertificates[0]
				return nil
			}
			callee, err := load.Listen("127.0.0.1:0", answering)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { callee.Close() })

			calling := c.ca.ClientConfig()
			address := c.addr("tls").String()
			if conn, err := tls.Dial("tcp", address, calling); err == nil { // in TLS 1.3 the refusal comes after
				_ = conn.SetReadDeadline(time.Now().Add(patience))
				if _, err = conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "certificate") {
					t.Errorf("a caller without a certificate hears %v", err)
				}
				conn.Close()
			}
			own, err := c.ca.ServerConfig("ecdsa", "127.0.0.1") // any certificate of the authority will do
			if err != nil {
				t.Fatal(err)
			}
			calling.Certificates = own.Certificates
			caller := load.Peer{Addr: address, TLS: calling}

			reloaded := make(chan error)
			stop := make(chan struct{})
			go func() {
				defer close(reloaded)
				for {
					if err := c.reloadTLS(); err != nil {
						reloaded <- err
						return
					}
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
				}
			}()
			to := uri("callee", "tls", netip.MustParseAddrPort(callee.Addr()))
			calls, err := load.Calls{Peer: caller, URI: to, Connections: 2, Window: 2, Count: 40, Duration: time.Minute, Timeout: patience}.Run(t.Context())
			if err != nil || !clean(calls, callee) {
				t.Errorf("calls: %v\n%v", err, calls)
			}
			options, err := load.Options{Peer: caller, URI: "sip:here@" + address, Count: 40, Duration: time.Minute, Timeout: patience}.Run(t.Context())
			if err != nil || !options.Clean() {
				t.Errorf("OPTIONS: %v\n%v", err, options)
			}
			close(stop)
			if err := <-reloaded; err != nil {
				t.Errorf("reload: %v", err)
			}
			if got := c.engine.Stats().Dials; got != 1 || len(shown) != 1 {
				t.Errorf("%d connections to the callee, %d handshakes there, want one that outlives the reloads", got, len(shown))
			}
			if sent := <-shown; sent.Subject.CommonName != own.Certificates[0].Leaf.Subject.CommonName {
				t.Errorf("we showed %v", sent.Subject)
			}
		})
	}
}

// What tls_library and tls_openssl.so come to is what this program has.
func TestChoiceOfLibrary(t *testing.T) {
	_, has := tlsstate.LookupLibrary("openssl")
	const top = "socket=tls:127.0.0.1:5061\nloadmodule \"proto_tls.so\"\nloadmodule \"tls_mgm.so\"\n"
	const module = "loadmodule \"tls_openssl.so\"\n"
	for name, tt := range map[string]struct{ text, with, without string }{
		"nothing":      {"", "go", "go"},
		"module":       {module, "openssl", "go"},
		"auto":         {module + library("auto"), "openssl", "go"},
		"auto alone":   {library("auto"), "go", "go"},
		"go":           {module + library("go"), "go", "go"},
		"openssl":      {module + library("openssl"), "openssl", ""},
		"openssl only": {library("openssl"), "openssl", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := tt.without
			if has {
				want = tt.with
			}
			cfg, err := loader().Compile("x.cfg", []byte(top+tt.text+"route { exit; }\n"))
			switch {
			case want == "" && (err == nil || !strings.Contains(err.Error(), "-tags openssl")):
				t.Errorf("%v, want how to build it", err)
			case want == "":
			case err != nil:
				t.Error(err)
			case cfg.TLSLibrary != want:
				t.Errorf("the library is %s, want %s", cfg.TLSLibrary, want)
			}
			if noted := cfg != nil && strings.Contains(strings.Join(texts(cfg.Notes), "\n"), "built without libssl"); noted != (want == "go" && tt.with == "openssl") {
				t.Errorf("notes %v", cfg.Notes)
			}
		})
	}
}

func texts(notes []script.Note) (list []string) {
	for _, n := range notes {
		list = append(list, n.String())
	}
	return list
}
