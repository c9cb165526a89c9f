package main

import (
	"bytes"
	"context"
	"crypto/md5" // of the example's users
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
	"sipreactor/reactor/ports"
	"sipreactor/reactor/script"
)

// homeServers are the servers of the example trusted-domains: each with a domain, a certificate and a configuration of
// its own, in one process, over real TLS, with a name server of theirs.
type homeServers struct {
	dir     string
	ca      *load.Authority
	zone    *zone
	servers map[string]*homeServer // by domain
}

// homeServer is that of one domain.
type homeServer struct {
	domain string
	addr   string
	node   *node
	cert   tls.Certificate

	mu    sync.Mutex
	heard func(f *reactor.Frame)
}

// Observe is reactor.Observer.
func (*homeServer) Observe(*reactor.Event) {}

// Heard is called for each message that comes.
func (h *homeServer) Heard(f *reactor.Frame) {
	h.mu.Lock()
	heard := h.heard
	h.mu.Unlock()
	if heard != nil {
		heard(f)
	}
}

func (h *homeServer) watch(heard func(f *reactor.Frame)) {
	h.mu.Lock()
	h.heard = heard
	h.mu.Unlock()
}

// home says what a domain's server is made of.
type home struct {
	domain string
	trusts []string // domains
	users  []string // with their names for passwords
}

// startHomeServers starts a server for each domain. What they log goes to log.
func startHomeServers(log io.Writer, homes ...home) (hs *homeServers, err error) {
	hs = &homeServers{servers: make(map[string]*homeServer)}
	defer func() {
		if err != nil {
			hs.close()
		}
	}()
	if hs.dir, err = os.MkdirTemp("", "sipreactor-"); err != nil {
		return hs, err
	}
	if hs.ca, err = load.NewAuthority(); err != nil {
		return hs, err
	}
	var records []string
	for _, h := range homes {
		at, err := ports.Address()
		if err != nil {
			return hs, err
		}
		hs.servers[h.domain] = &homeServer{domain: h.domain, addr: at}
		_, port, _ := net.SplitHostPort(at)
		records = append(records,
			h.domain+`. 60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.`+h.domain+".",
			"_sips._tcp."+h.domain+". 60 IN SRV 10 10 "+port+" sip."+h.domain+".",
			"sip."+h.domain+". 60 IN A 127.0.0.1")
	}
	if hs.zone, err = serveZone(records...); err != nil {
		return hs, err
	}
	for _, h := range homes {
		if err = hs.start(log, h); err != nil {
			return hs, fmt.Errorf("%s: %w", h.domain, err)
		}
	}
	return hs, nil
}

// start starts one server.
func (hs *homeServers) start(log io.Writer, h home) error {
	s := hs.servers[h.domain]
	dir := filepath.Join(hs.dir, h.domain)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := hs.ca.Write(dir, "home", "ecdsa", h.domain, "sip."+h.domain); err != nil {
		return err
	}
	var err error
	if s.cert, err = tls.LoadX509KeyPair(filepath.Join(dir, "home.pem"), filepath.Join(dir, "home.key")); err != nil {
		return err
	}
	users, trust := new(bytes.Buffer), new(bytes.Buffer)
	for _, u := range h.users {
		fmt.Fprintf(users, "%s:%s:MD5:%x\n", u, h.domain, md5.Sum([]byte(u+":"+h.domain+":"+u)))
	}
	text, _ := example("trusted-domains")
	for line := range strings.Lines(filesOf(string(text))["/etc/sipreactor/trust.csv"]) {
		if !strings.HasPrefix(line, "1,") { // the domains that it trusts are others
			trust.WriteString(strings.ReplaceAll(line, "example.com", h.domain))
		}
	}
	for _, d := range h.trusts {
		fmt.Fprintf(trust, "1,1,0,%s,1,,,0,\n", d)
	}
	_, port, _ := net.SplitHostPort(s.addr)
	path := filepath.Join(dir, "opensips.cfg")
	at := strings.NewReplacer("/etc/sipreactor", dir, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(dir, "ca.pem"),
		"tls:0.0.0.0:5061", "tls:"+s.addr, "sip.example.com:5061", "sip."+h.domain+":"+port, "example.com", h.domain,
		`loadmodule "httpd.so"`, "", `loadmodule "mi_http.so"`, "", `modparam("httpd", "ip", "127.0.0.1")`, "", `modparam("httpd", "port", 8888)`, "")
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "users.txt"), users.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, "trust.csv"), trust.Bytes(), 0o600),
		os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte("nameserver "+hs.zone.addr+"\n"), 0o600),
		os.WriteFile(filepath.Join(dir, "hosts"), nil, 0o600),
		os.WriteFile(path, []byte(at.Replace(string(text))), 0o600))
	if err != nil {
		return err
	}
	cfg, err := loadConfig(options{file: path})
	if err != nil {
		return err
	}
	cfg.DNS.ResolvConf, cfg.DNS.Hosts = filepath.Join(dir, "resolv.conf"), filepath.Join(dir, "hosts")
	cfg.StateDir = filepath.Join(dir, "state")
	cfg.Engine.TLS.HandshakeTimeout = demoPatience
	sockets, names, err := listeners(context.Background(), cfg)
	if err != nil {
		return err
	}
	cfg.Proxy.MyDomains = append(cfg.Proxy.MyDomains, names...)
	lines := newLogger(log, script.LevelInfo, h.domain+" ")
	cfg.Program.SetLogger(lines)
	if s.node, err = assemble(cfg, sockets, lines, s); err != nil {
		return err
	}
	if err := s.node.start(cfg, levelsOf(cfg), func() {}); err != nil {
		s.node = nil // closed already
		return err
	}
	return nil
}

// clientConfig is that of a TLS client which verifies a domain's server. With as it shows that server's certificate.
func (hs *homeServers) clientConfig(domain string, as *homeServer) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(hs.ca.PEM)
	cfg := &tls.Config{RootCAs: pool, ServerName: domain, MinVersion: tls.VersionTLS12}
	if as != nil {
		cfg.Certificates = []tls.Certificate{as.cert}
	}
	return cfg
}

func (hs *homeServers) close() {
	for _, s := range hs.servers {
		if s.node != nil {
			ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
			_ = s.node.engine.Stop(ctx) // what is not finished is nobody's
			cancel()
			s.node.close()
		}
	}
	if hs.zone != nil {
		hs.zone.close()
	}
	if hs.dir != "" {
		_ = os.RemoveAll(hs.dir)
	}
}
