//go:build openssl

package openssl

/*
#cgo CFLAGS: -O2 -Wall -Wextra
#cgo LDFLAGS: -lssl -lcrypto
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"sipreactor/tlsstate"
	"sipreactor/tlsstate/regular"
)

// domain is a DomainConfig that is ready, on an SSL_CTX.
type domain struct {
	name   string
	held   *held
	own    []*x509.Certificate // our leaves, in the order of preference
	verify bool
	judge  bool // client: the name is to be checked

	tickets  *tlsstate.BoundKeys // server; nil: none
	sessions *sessions           // client; nil: none
}

// held is what a domain holds in C.
type held struct {
	ctx      *C.sc_domain
	sessions *sessions
}

func (h *held) free() {
	if h.sessions != nil {
		h.sessions.Clear()
	}
	C.sc_domain_free(h.ctx)
}

// LiveDomains tells how many domains hold memory of libssl, for tests that
// reloads leave nothing behind. Any goroutine.
func LiveDomains() int64 { return int64(C.sc_domains_live()) }

// newDomain makes a domain of a configuration that tlsstate.Build has passed.
func newDomain(cfg *tlsstate.DomainConfig, s *Set) (*domain, error) {
	low, high, err := tlsstate.Versions(cfg.Method, cfg.Ciphers)
	if err != nil {
		return nil, err
	}
	server := cfg.Role == tlsstate.Server
	ctx := C.sc_domain_new(flag(server), C.int(low), C.int(high))
	if ctx == nil {
		return nil, errors.New("libssl has no memory, or none of the versions of tls_method")
	}
	d := &domain{name: cfg.Name, held: &held{ctx: ctx}, verify: or(cfg.VerifyCert, true)}
	runtime.AddCleanup(d, (*held).free, d.held)
	d.judge = !server && d.verify && or(cfg.VerifyDomain, true)
	for _, step := range []func(*tlsstate.DomainConfig) error{d.protocol, d.certificates} {
		if err := step(cfg); err != nil {
			return nil, err
		}
	}
	if err := d.peers(cfg, s.plain); err != nil {
		return nil, err
	}
	policy := s.plain.Policy(cfg.Role, cfg.Name)
	if s.keyLog != nil || s.secrets != nil {
		C.sc_domain_log(ctx)
	}
	if or(cfg.SessionTickets, true) {
		C.sc_domain_tickets(ctx, data(policy[:]), C.uint(len(policy)))
		if server {
			d.tickets = s.tickets.Bind(policy, ticketUse, ticketKeySize)
		} else {
			d.sessions = newSessions()
			d.held.sessions = d.sessions
		}
	}
	runtime.KeepAlive(d)
	return d, nil
}

// defaultCiphers are those of TLS 1.2 that tlsstate has by default.
const defaultCiphers = "HIGH"

// protocol sets cipher suites and groups.
func (d *domain) protocol(cfg *tlsstate.DomainConfig) error {
	list := cfg.Ciphers
	if strings.TrimSpace(list) == "" {
		list = defaultCiphers
	}
	ids, err := tlsstate.ParseCiphers(list)
	if err != nil {
		return err
	}
	var names []string
	for _, id := range ids {
		names = append(names, (&tlsstate.State{Version: tls.VersionTLS12, Cipher: id}).CipherName())
	}
	if low, _, _ := tlsstate.ParseMethod(cfg.Method); low < tls.VersionTLS12 {
		names = append(names, "@SECLEVEL=0") // libssl's other levels have no TLS before 1.2
	}
	if len(ids) == 0 { // suites of TLS 1.3 alone: Versions has left out what is before
		names = []string{defaultCiphers}
	}
	if err := d.set("ciphers_list", strings.Join(names, ":"), func(s *C.char) *C.char { return C.sc_domain_ciphers(d.held.ctx, s) }); err != nil {
		return err
	}
	curves, err := tlsstate.ParseCurves(cfg.Curves)
	if err != nil {
		return err
	}
	names = nil
	for _, id := range curves {
		if name, ok := groupNames[id]; ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("ec_curve %q: libssl has none of them", cfg.Curves)
	}
	return d.set("ec_curve", strings.Join(names, ":"), func(s *C.char) *C.char { return C.sc_domain_groups(d.held.ctx, s) })
}

var groupNames = map[tls.CurveID]string{tls.X25519: "X25519", tls.CurveP256: "P-256", tls.CurveP384: "P-384"}

// set gives a text to C and turns its answer into an error.
func (d *domain) set(what, value string, f func(*C.char) *C.char) error {
	text := C.CString(value)
	defer C.free(unsafe.Pointer(text))
	return said(what, f(text))
}

func said(what string, answer *C.char) error {
	if answer == nil {
		return nil
	}
	return fmt.Errorf("%s: libssl: %s", what, C.GoString(answer))
}

// certificates loads our own. libssl keeps one of each kind of key, and the
// first one of a kind is to count, so the last is loaded first.
func (d *domain) certificates(cfg *tlsstate.DomainConfig) error {
	for i := len(cfg.Certificates) - 1; i >= 0; i-- {
		k := &cfg.Certificates[i]
		if k.Signer != nil {
			return errors.New("private_key: libssl cannot use a Signer; tls_library go can")
		}
		chain, err := textOf(k.CertificateFile, k.CertificatePEM)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		key, err := textOf(k.PrivateKeyFile, k.PrivateKeyPEM)
		if err != nil {
			return fmt.Errorf("private_key: %w", err)
		}
		pair, err := tls.X509KeyPair(chain, key)
		if err != nil {
			return fmt.Errorf("certificate %s, private_key %s: %w", k.CertificateFile, k.PrivateKeyFile, err)
		}
		answer := C.sc_domain_pair(d.held.ctx, data(chain), C.int(len(chain)), data(key), C.int(len(key)))
		if err := said(fmt.Sprintf("certificate %s, private_key %s", k.CertificateFile, k.PrivateKeyFile), answer); err != nil {
			return err
		}
		d.own = append(d.own, pair.Leaf)
	}
	preferECDSA(d.own)
	return nil
}

// textOf is what a file holds, or the text that was given instead.
func textOf(file string, text []byte) ([]byte, error) {
	if file == "" {
		return text, nil
	}
	return regular.Read(file)
}

// ours gives our certificate of that encoding.
func (d *domain) ours(der []byte) *x509.Certificate {
	sum := sha256.Sum256(der)
	for _, c := range d.own {
		if sha256.Sum256(c.Raw) == sum {
			return c
		}
	}
	return nil
}

func data(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// or gives the value that was set, or the default.
func or(set *bool, def bool) bool {
	if set == nil {
		return def
	}
	return *set
}
