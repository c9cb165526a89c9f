package tlsstate_test

import (
	"crypto"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/tlstest"
)

// patientKey is a key that signs when it is told to.
type patientKey struct {
	crypto.Signer
	asked []func() // make the signatures
	err   error

	atOnce    bool // it is done before it returns
	elsewhere bool // another goroutine does it, now
}

func (k *patientKey) SignAsync(digest []byte, opts crypto.SignerOpts, done func([]byte, error)) {
	digest = append([]byte(nil), digest...) // the caller's again
	sign := func() {
		if k.err != nil {
			done(nil, k.err)
			return
		}
		done(k.Sign(nil, digest, opts))
	}
	if k.atOnce {
		sign()
		return
	}
	if k.elsewhere {
		go sign()
		return
	}
	k.asked = append(k.asked, sign)
}

// meeting is a handshake in which one end, or both, have such keys.
type meeting struct {
	testing.TB
	server, client tlsstate.Machine
	key            *patientKey
	signed         atomic.Int32
}

// meet makes two machines; side says whose key is a patient one.
func meet(t testing.TB, side, method string) *meeting {
	t.Helper()
	w := tlstest.NewWorld(t)
	m := &meeting{TB: t, key: &patientKey{Signer: w.Server.Key}}
	set := setOf(t, w, func(s, c *tlsstate.DomainConfig) {
		s.Method = method
		if side == "server" {
			s.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Server.CertPEM(), Signer: m.key}}
			return
		}
		s.RequireCert = tlstest.Yes()
		m.key.Signer = w.Client.Key
		c.Certificates = []tlsstate.KeyPair{{CertificatePEM: w.Client.CertPEM(), Signer: m.key}}
	})
	var err error
	if m.server, err = set.NewServer(tlstest.Listener, tlstest.Caller); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.server.Stop)
	if m.client, err = set.NewClient(tlstest.Query("sip.example.com")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.client.Stop)
	return m
}

// patient has both ends not wait for signatures.
func (m *meeting) patient() {
	for _, end := range []tlsstate.Machine{m.server, m.client} {
		end.(tlsstate.AsyncMachine).OnSigned(func() { m.signed.Add(1) })
	}
}

// run goes on until neither end can, and gives what they said last.
func (m *meeting) run() (server, client error) {
	for moved := true; moved; {
		client = m.client.Handshake()
		moved = pass(m.client, m.server)
		server = m.server.Handshake()
		moved = pass(m.server, m.client) || moved
	}
	return server, client
}

// pass carries bytes from one end to the other.
func pass(from, to tlsstate.Machine) bool {
	out := from.Output()
	to.Feed(append([]byte(nil), out...))
	from.Sent(len(out))
	return len(out) > 0
}

var sides = []struct{ side, method string }{
	{"server", "TLSv1_2"}, {"server", "TLSv1_3"}, {"client", "TLSv1_2"}, {"client", "TLSv1_3"},
}

// A handshake waits for a key that signs elsewhere, and goes on when it is told.
func TestAsyncSigner(t *testing.T) {
	for _, s := range sides {
		t.Run(s.side+" "+s.method, func(t *testing.T) {
			m := meet(t, s.side, s.method)
			m.patient()
			waits := m.server
			if s.side == "client" {
				waits = m.client
			}
			m.run()
			for range 3 { // however often it is called
				if err := waits.Handshake(); err != tlsstate.ErrWantSignature { //nolint:errorlint // this very value
					t.Fatal(err)
				}
			}
			if len(m.key.asked) != 1 || m.signed.Load() != 0 {
				t.Fatalf("asked for %d signatures, told of %d", len(m.key.asked), m.signed.Load())
			}
			m.key.asked[0]()
			if m.signed.Load() != 1 {
				t.Error("nobody was told of the signature")
			}
			if server, client := m.run(); server != nil || client != nil {
				t.Fatal(server, client)
			}
			if len(m.key.asked) != 1 {
				t.Errorf("%d signatures", len(m.key.asked))
			}
		})
	}
}

// A signature that is there at once, or that the machine's owner waits for, parks
// nobody.
func TestAsyncSignerAtOnce(t *testing.T) {
	for _, s := range sides {
		for _, patient := range []bool{true, false} {
			m := meet(t, s.side, s.method)
			m.key.atOnce = true
			if patient {
				m.patient()
			}
			if server, client := m.run(); server != nil || client != nil {
				t.Errorf("%v: %v, %v", s, server, client)
			}
			if m.signed.Load() != 0 || len(m.key.asked) != 0 {
				t.Errorf("%v: %d told, %d asked", s, m.signed.Load(), len(m.key.asked))
			}
		}
	}
}

// A key that fails is the configuration's fault, whenever it does.
func TestAsyncSignerFails(t *testing.T) {
	for _, atOnce := range []bool{true, false} {
		m := meet(t, "server", "TLSv1_3")
		m.patient()
		m.key.err, m.key.atOnce = errors.New("the token was pulled out"), atOnce
		m.run()
		for _, sign := range m.key.asked {
			sign()
		}
		server, client := m.run()
		if e := tlstest.WantError(t, server, tlsstate.BlameConfig, tlsstate.ReasonSign); !strings.Contains(e.Detail, "pulled out") {
			t.Error(e)
		}
		tlstest.WantError(t, client, tlsstate.BlamePeer, "alert received: internal_error")
	}
}

// A machine that is stopped while it waits is gone; its signature comes to nothing.
func TestAsyncSignerStopped(t *testing.T) {
	before := tlsstate.LiveMachines()
	for _, s := range sides {
		m := meet(t, s.side, s.method)
		m.patient()
		m.run()
		m.server.Stop()
		m.client.Stop()
		m.key.asked[0]()
		if n := tlsstate.LiveMachines() - before; n != 0 {
			t.Errorf("%v: %d machines live", s, n)
		}
	}
}

// The signature may come from another goroutine at any time, even before
// SignAsync returns.
func TestAsyncSignerElsewhere(t *testing.T) {
	for range 50 {
		m := meet(t, "server", "TLSv1_3")
		signed := make(chan struct{}, 1)
		m.server.(tlsstate.AsyncMachine).OnSigned(func() { signed <- struct{}{} })
		m.key.elsewhere = true
		for {
			server, client := m.run()
			if server == nil && client == nil {
				break
			}
			if server != tlsstate.ErrWantSignature { //nolint:errorlint // this very value
				t.Fatal(server, client)
			}
			<-signed
		}
	}
}
