package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// domains reads the files of TLS domains, which are then those in use.
func (n *node) domains(c tlsstate.Config) (tlsstate.Domains, error) {
	set, err := n.library.Build(c)
	if err != nil {
		return nil, n.locate(err)
	}
	warnOf(set, n.log)
	n.current.Store(&set)
	return set, nil
}

// reload replaces the TLS domains by what their files say now: all of them or none.
func (n *node) reloadTLS() error {
	n.reloading.Lock()
	defer n.reloading.Unlock()
	if n.tickets != "" {
		keys, err := tlsstate.ReadTicketKeys(n.tickets)
		if err != nil {
			return err
		}
		n.tls.TicketKeys = keys
	}
	var cert *tls.Certificate
	if n.web != nil {
		var err error
		if cert, err = n.web.read(); err != nil {
			return err
		}
	}
	c, err := n.withTable(context.Background(), (*tlsTable).reload)
	if err != nil {
		return err
	}
	set, err := n.domains(c)
	if err != nil {
		return err
	}
	if cert != nil {
		n.web.current.Store(cert)
	}
	n.engine.SetDomains(set)
	return nil
}

var errNoIdentity = errors.New("no server_domain is declared: a certificate made at the start serves loopback addresses only")

// ensureServerDomain gives TLS listeners an identity for this run when the configuration declares none. When it
// declares no domain at all, peers on loopback are spoken to as well, unverified.
func (n *node) ensureServerDomain(sockets []reactor.SocketConfig) error {
	declared := n.tls.Domains
	for _, d := range declared {
		if d.Role == tlsstate.Server {
			return nil
		}
	}
	if n.table != nil {
		return nil // it has them
	}
	var hosts []string
	for _, s := range sockets {
		if !s.Proto.Secure() {
			continue
		}
		if !s.Addr.Addr().IsLoopback() {
			return fmt.Errorf("socket %v:%v: %w", s.Proto, s.Addr, errNoIdentity)
		}
		hosts = append(hosts, s.Addr.Addr().String())
	}
	if len(hosts) == 0 {
		return nil
	}
	hosts = append(hosts, "localhost")
	cert, key, err := tlsstate.Ephemeral(hosts, false)
	if err != nil {
		return err
	}
	never := false
	pair := []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}}
	n.tls.Domains = append(slices.Clone(declared), tlsstate.DomainConfig{
		Name: "ephemeral", Role: tlsstate.Server, VerifyCert: &never, RequireCert: &never, Certificates: pair,
	})
	if len(declared) == 0 {
		n.tls.Domains = append(n.tls.Domains, tlsstate.DomainConfig{
			Name: "loopback", Role: tlsstate.Client, VerifyCert: &never, Certificates: pair,
			MatchAddresses: []string{"127.0.0.1", "::1"},
		})
	}
	n.log.Log(context.Background(), script.LevelNotice.Slog(),
		"no server_domain is declared: using a self-signed certificate made for this run", "hosts", strings.Join(hosts, " "))
	return nil
}
