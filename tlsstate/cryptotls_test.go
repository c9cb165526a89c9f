package tlsstate_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// goClient is crypto/tls's own client against a server machine, over a socket.
func goClient(t *testing.T, set *tlsstate.Set, cfg *tls.Config, use func(*tls.Conn) error) (d *driver, client chan error, handshake error) {
	t.Helper()
	ours, theirs := socketPair(t)
	client = make(chan error, 1)
	go func() {
		c := tls.Client(theirs, cfg)
		err := c.Handshake()
		if err == nil {
			err = use(c)
		}
		theirs.Close()
		client <- err
	}()
	d = drive(t, tlstest.NewServer(t, set), ours)
	return d, client, d.handshake()
}

// goServer is crypto/tls's own server against a client machine.
func goServer(t *testing.T, set *tlsstate.Set, host string, cfg *tls.Config, use func(*tls.Conn) error) (d *driver, server chan error, handshake error) {
	t.Helper()
	ours, theirs := socketPair(t)
	server = make(chan error, 1)
	go func() {
		c := tls.Server(theirs, cfg)
		err := c.Handshake()
		if err == nil {
			err = use(c)
		}
		theirs.Close()
		server <- err
	}()
	d = drive(t, tlstest.NewClient(t, set, host), ours)
	return d, server, d.handshake()
}

// converse is what a crypto/tls peer does: writes, reads it back, says goodbye
// and waits for ours.
func converse(c *tls.Conn) error {
	for _, n := range []int{1, 600, 16384, 100000} {
		sent := make(chan error, 1)
		go func() {
			_, err := c.Write(tlstest.Text(n))
			sent <- err
		}()
		got := make([]byte, n)
		if _, err := io.ReadFull(c, got); err != nil {
			return err
		}
		if err := <-sent; err != nil {
			return err
		}
		if !bytes.Equal(got, tlstest.Text(n)) {
			return errors.New("something else came back")
		}
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		return errors.Join(errors.New("no goodbye"), err)
	}
	return nil
}

// serveEcho is the machine's side of converse.
func serveEcho(d *driver) error {
	p := make([]byte, 16384)
	for {
		n, err := d.read(p)
		if n > 0 {
			if err := d.write(p[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return d.goodbye()
		}
		if err != nil {
			return err
		}
	}
}

func TestAgainstCryptoTLS(t *testing.T) {
	w := tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	for _, c := range []struct {
		name     string
		min, max uint16
		curves   []tls.CurveID
		retried  bool
		group    tls.CurveID // that our server takes
	}{
		{"1.2", tls.VersionTLS12, tls.VersionTLS12, nil, false, tls.CurveP256},
		{"1.2, X25519 only", tls.VersionTLS12, tls.VersionTLS12, []tls.CurveID{tls.X25519}, false, tls.X25519},
		{"1.3", tls.VersionTLS13, tls.VersionTLS13, nil, false, tls.X25519MLKEM768},
		{"1.3, P-256 only", tls.VersionTLS13, tls.VersionTLS13, []tls.CurveID{tls.CurveP256}, true, tls.CurveP256},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := &tls.Config{
				MinVersion: c.min, MaxVersion: c.max, CurvePreferences: c.curves,
				RootCAs: w.CA.Pool(), ClientCAs: w.CA.Pool(), ServerName: "sip.example.com",
			}
			client := cfg.Clone()
			client.Certificates = []tls.Certificate{w.Client.TLS(t)}
			var group tls.CurveID
			d, done, err := goClient(t, set, client, func(conn *tls.Conn) error {
				group = conn.ConnectionState().CurveID
				return converse(conn)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(serveEcho(d), <-done); err != nil {
				t.Fatal("server machine:", err)
			}
			if group != c.group {
				t.Errorf("the server took %v, want %v", group, c.group)
			}
			if s := d.State(); s.Version != c.min || s.Peer[0].Subject.CommonName != "client" || s.Own.Subject.CommonName != "server" {
				t.Fatalf("%+v", s)
			}

			server := cfg.Clone()
			server.Certificates = []tls.Certificate{w.Server.TLS(t)}
			server.ClientAuth = tls.RequireAndVerifyClientCert
			d, done, err = goServer(t, set, "sip.example.com", server, converse)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(serveEcho(d), <-done); err != nil {
				t.Fatal("client machine:", err)
			}
			if s := d.State(); s.Retried != c.retried || s.Own.Subject.CommonName != "client" || s.Peer[0].Subject.CommonName != "server" {
				t.Fatalf("%+v", s)
			}
		})
	}
}

// The alert of a refused handshake is on the wire before the close.
func TestAlertReachesPeer(t *testing.T) {
	w, stranger := tlstest.NewWorld(t), tlstest.NewWorld(t)
	set := setOf(t, w, nil)
	cfg := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{stranger.Client.TLS(t)}}
	d, done, err := goClient(t, set, cfg, func(c *tls.Conn) error {
		_, err := c.Read(make([]byte, 1))
		return err
	})
	tlstest.WantError(t, err, tlsstate.BlamePeer, tlsstate.ReasonAuthority)
	d.conn.Close()
	var op *net.OpError
	if err := <-done; !errors.As(err, &op) || op.Op != "remote error" {
		t.Errorf("the client got %v", err)
	}
}

// What crypto/tls says in words, typed: each text comes from a real handshake.
func TestReasons(t *testing.T) {
	w := tlstest.NewWorld(t)
	client := func(f func(*tls.Config)) *tls.Config {
		c := &tls.Config{InsecureSkipVerify: true, ServerName: "sip.example.com", Certificates: []tls.Certificate{w.Client.TLS(t)}}
		f(c)
		return c
	}
	for _, c := range []struct {
		name   string
		server func(*tlsstate.DomainConfig)
		client func(*tls.Config)
		reason string
	}{
		{"old client", nil, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 }, tlsstate.ReasonVersion},
		{"no cipher", func(d *tlsstate.DomainConfig) { d.Method, d.Ciphers = "TLSv1_2", "ECDHE-ECDSA-AES256-GCM-SHA384" },
			func(c *tls.Config) {
				c.MaxVersion = tls.VersionTLS12
				c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
			}, tlsstate.ReasonCipher},
		{"no group", func(d *tlsstate.DomainConfig) { d.Curves = "X25519" },
			func(c *tls.Config) { c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{tls.CurveP256} }, tlsstate.ReasonGroup},
		{"no certificate, 1.2", nil, func(c *tls.Config) { c.MaxVersion, c.Certificates = tls.VersionTLS12, nil }, tlsstate.ReasonNoCert},
		{"no certificate, 1.3", nil, func(c *tls.Config) { c.Certificates = nil }, tlsstate.ReasonNoCert},
		{"client refuses", nil, func(c *tls.Config) {
			c.VerifyConnection = func(tls.ConnectionState) error { return errors.New("no") }
		}, "alert received: bad_certificate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := setOf(t, w, func(s, _ *tlsstate.DomainConfig) {
				if c.server != nil {
					c.server(s)
				}
			})
			d, done, err := goClient(t, set, client(c.client), func(c *tls.Conn) error {
				_, err := c.Read(make([]byte, 1))
				return err
			})
			tlstest.WantError(t, err, tlsstate.BlamePeer, c.reason)
			d.conn.Close()
			if err := <-done; err == nil {
				t.Error("the client saw nothing")
			}
		})
	}
}

func TestReasonsOfClients(t *testing.T) {
	w, stranger := tlstest.NewWorld(t), tlstest.NewWorld(t)
	rsaOnly := &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{w.Server.TLS(t)}}
	for _, c := range []struct {
		name   string
		client func(*tlsstate.DomainConfig)
		server func(*tls.Config)
		blame  tlsstate.Blame
		reason string
	}{
		{"no version", func(d *tlsstate.DomainConfig) { d.Method = "TLSv1_3" }, func(*tls.Config) {}, tlsstate.BlamePeer, "alert received: protocol_version"},
		{"no cipher", func(d *tlsstate.DomainConfig) { d.Method, d.Ciphers = "TLSv1_2", "ECDHE-RSA-AES128-GCM-SHA256" },
			func(*tls.Config) {}, tlsstate.BlamePeer, "alert received: handshake_failure"},
		{"our certificate is not theirs", func(d *tlsstate.DomainConfig) {
			d.Certificates = []tlsstate.KeyPair{stranger.Client.KeyPair()}
		}, func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert; c.ClientCAs = w.CA.Pool() },
			tlsstate.BlameConfig, "alert received: unknown_ca"},
		{"we have no certificate", func(d *tlsstate.DomainConfig) { d.Certificates = nil },
			func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert; c.MaxVersion = tls.VersionTLS12 },
			tlsstate.BlameConfig, "alert received: handshake_failure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := setOf(t, w, func(_, client *tlsstate.DomainConfig) { c.client(client) })
			cfg := rsaOnly.Clone()
			c.server(cfg)
			_, done, err := goServer(t, set, "sip.example.com", cfg, func(*tls.Conn) error { return nil })
			tlstest.WantError(t, err, c.blame, c.reason)
			if err := <-done; err == nil {
				t.Error("the server saw nothing")
			}
		})
	}
}
