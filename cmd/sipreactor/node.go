package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/mi/page"
	"sipreactor/reactor/mi/peers"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
	"sipreactor/reactor/store"
	"sipreactor/tlsstate"
)

// maxCoreReports is how many reports of its own the program keeps.
const maxCoreReports = 50

// node is a proxy on an engine, as a configuration describes them.
type node struct {
	engine   *reactor.Engine
	proxy    *proxy.Proxy
	load     func(previous *script.Program) (*script.Config, error) // reads the configuration anew; nil in tests
	cfg      atomic.Pointer[script.Config]                          // in use
	running  chan struct{}                                          // closed once the sockets are open
	trace    *tracing
	routes   *script.Background       // startup, timer and event routes
	reports  *statusreport.Book       // of core and modules
	told     *statusreport.Identifier // core's own
	manage   *management              // once it serves
	commands *rpc.Dispatcher          // of management
	web      *webIdentity             // of management over HTTPS; nil without
	peers    *peers.Table             // what is known of peers
	recent   *page.Recorder           // what the status page tells; nil when nobody serves it
	super    *supervisor              // who started us; only serve has one
	log      *slog.Logger
	tls      tlsstate.Config // with the ephemeral domain, if there is one
	tickets  string          // ticket_keys_file, "" none
	state    stateDir        // what outlives the program
	library  tlsstate.Library
	locate   func(error) error // where in the configuration an error of the TLS domains comes from
	current  atomic.Pointer[tlsstate.Domains]
	started  time.Time

	patience time.Duration // shutdown_timeout
	logLost  func() uint64 // lines of the log that were dropped; nil if nobody counts
	bound    func() error  // called once the sockets are bound; may be nil
	anyPort  bool          // management over HTTP takes another port where its own is taken

	table     *tlsTable  // of TLS domains; nil none
	reloading sync.Mutex // SIGHUP and tls_reload may come together
}

// newNode makes a node with the configuration's sockets, that does not run yet.
// Sockets that were handed over take their places.
func newNode(ctx context.Context, cfg *script.Config, log *slog.Logger, handed []*os.File) (*node, error) {
	sockets, names, err := listeners(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := activate(handed, sockets); err != nil {
		return nil, err
	}
	cfg.Proxy.MyDomains = append(cfg.Proxy.MyDomains, names...)
	return assemble(cfg, sockets, log, nil)
}

// assemble is newNode with sockets of the caller's choice. The observer may be nil.
func assemble(cfg *script.Config, sockets []reactor.SocketConfig, log *slog.Logger, observer reactor.Observer) (*node, error) {
	n := &node{running: make(chan struct{}), commands: rpc.NewDispatcher(log), log: log, tls: cfg.TLS, tickets: cfg.TLSFiles.TicketKeys, state: cmp.Or(stateDir(cfg.StateDir), defaultStateDir()), started: time.Now(),
		patience: cfg.ShutdownTimeout}
	n.cfg.Store(cfg)
	library, ok := tlsstate.LookupLibrary(cmp.Or(cfg.TLSLibrary, tlsstate.GoLibrary))
	if !ok {
		return nil, fmt.Errorf("TLS: this program was built without the library %s", cfg.TLSLibrary)
	}
	n.library, n.locate = library, cfg.Locate
	if n.tls.TicketKeys == nil {
		n.tls.TicketKeys = tlsstate.NewTicketKeys() // tickets outlive a reload that changes no policy
	}
	table, err := newTLSTable(cfg)
	if err != nil {
		return nil, err
	}
	n.table = table
	if err := n.ensureServerDomain(sockets); err != nil {
		return nil, err
	}
	if err := settleMasterKey(cfg, log); err != nil {
		return nil, err
	}
	if t := said[proto_tls.Config](cfg, "proto_tls"); t.MasterKey && t.Trace.Destination != "" {
		n.tls.Secrets = func() bool { return n.trace.WantSecrets() }
	}
	domains, err := n.domains(n.tls)
	if err != nil {
		return nil, err
	}
	web := said[httpd.Config](cfg, "httpd")
	if n.web, err = newWebIdentity(web.CertFile, web.KeyFile); err != nil {
		return nil, placed(web.At, "httpd", err)
	}
	pc := cfg.Proxy
	pc.MaxMessageSize = cfg.Engine.MaxMessageSize
	cfg.DNS.Port = pc.DefaultPort
	own := cfg.DNS
	own.Complain = func(err error) { log.Warn("files of names", "error", err) }
	dns := names.New(own)
	pc.Logger, pc.Resolver, pc.LookupTimeout = log, dns, dns.Timeout()
	n.peers = peers.New(cfg.Peers)
	pc.Observer = n.peers
	if n.proxy, err = proxy.New(pc, cfg.Router()); err != nil {
		return nil, err
	}
	if n.trace, err = newTracing(cfg, n.program, log); err != nil {
		return nil, err
	}
	n.routes = script.NewBackground(cfg.Program)
	n.reports = &statusreport.Book{Changed: func(group, identifier string, was, is statusreport.Status) {
		script.ReportChange(n.routes, group, identifier, was, is)
	}}
	n.told = n.reports.Identifier("core", statusreport.Main, maxCoreReports)
	n.told.Set(statusreport.Loading, "initializing")
	n.told.Reportf("initializing")
	seen := observers{n.trace, n.routes, n.peers, modulesOf{n}}
	if slices.Contains(cfg.Modules, "mi_http") {
		n.recent = page.NewRecorder()
		seen = append(seen, n.recent)
	}
	if observer != nil {
		seen = append(seen, observer)
	}
	ec := cfg.Engine
	ec.Sockets, ec.Domains, ec.Logger, ec.Observer = sockets, domains, log, seen
	ec.Inline = inlineTime
	if n.tls.KeyLog == nil { // which goes to a disk
		ec.InlineHandshake = handshakeTime
	}
	var handler reactor.Handler = n.proxy
	if l, ok := observer.(listener); ok {
		handler = listened{n.proxy, l}
	}
	if n.engine, err = reactor.New(ec, handler); err != nil {
		n.close()
		return nil, err
	}
	processors(ec.Loops)
	return n, nil
}

// processors sees to it that the runtime has a processor more than there are event loops, if
// the operator has not said how many (GOMAXPROCS): a loop that sleeps keeps its own for 10 ms,
// and where all do, whatever else is to run waits, and the runtime's monitor looks every 20 µs
// for a processor to take away.
func processors(loops int) {
	if loops > 1 && loops >= runtime.GOMAXPROCS(0) && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(loops + 1)
	}
}

// listener is an observer that is told of the messages that come, too. It must not keep the frame.
type listener interface{ Heard(f *reactor.Frame) }

// listened is a proxy with a listener in front of it.
type listened struct {
	*proxy.Proxy
	by listener
}

// Message is reactor.Handler.
func (l listened) Message(w *reactor.Worker, f *reactor.Frame) {
	l.by.Heard(f)
	l.Proxy.Message(w, f)
}

// inlineTime is how long a loop runs the script itself before the workers get the rest of what it has read: some
// ten messages, a fiftieth of what a peer would notice. The script blocks nowhere but in DNS and connects, which leave
// the loop, and its log never waits.
const inlineTime = 100 * time.Microsecond

// handshakeTime is how long a loop computes handshakes itself in a round: two or three steps with ECDSA, or one with RSA
// in OpenSSL, and little of what a peer would notice.
const handshakeTime = 250 * time.Microsecond

// close ends what is around the engine, which does not run any more or never did.
func (n *node) close() {
	if n.manage != nil {
		n.manage.close()
	}
	if n.recent != nil {
		n.recent.Close()
	}
	n.table.close()
	n.cfg.Load().Stop(nil)
	store.CloseLingering()
	n.routes.Close()
	n.trace.close()
}

// program returns the routes in use.
func (n *node) program() *script.Program { return n.cfg.Load().Program }

// domains reads the files of TLS domains, which are then those in use.
func (n *node) domains(c tlsstate.Config) (tlsstate.Domains, error) {
	set, err := n.library.Build(c)
	if err != nil {
		return nil, n.locate(err)
	}
	for _, w := range set.Warnings() {
		n.log.Warn("TLS domain", "warning", w)
	}
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

// listeners finds the addresses of the configured sockets, and the names by which they are us. A socket that names an
// interface or a host with several addresses becomes several.
func listeners(ctx context.Context, cfg *script.Config) (all []reactor.SocketConfig, names []string, err error) {
	var wrong []error
	for _, d := range cfg.Sockets {
		addrs, named, err := resolveListen(ctx, d.Host)
		if err != nil {
			wrong = append(wrong, script.ErrorAt(d.Pos, fmt.Errorf("socket %v:%s: %w", d.Proto, d.Host, err)))
			continue
		}
		if named {
			names = append(names, fmt.Sprintf("%v:%s:%d", d.Proto, d.Host, d.Port))
		}
		host := d.Host
		if _, err := netip.ParseAddr(host); err == nil || host == "*" {
			host = ""
		}
		for _, a := range addrs {
			all = append(all, reactor.SocketConfig{
				Proto: d.Proto, Addr: netip.AddrPortFrom(a, d.Port),
				Advertised: d.AdvertisedHost, AdvertisedPort: d.AdvertisedPort, Tag: d.Tag, Host: host,
			})
			if cfg.AutoAliases {
				for _, name := range reverse(ctx, a) {
					names = append(names, fmt.Sprintf("%v:%s:%d", d.Proto, name, d.Port))
				}
			}
		}
	}
	return all, names, errors.Join(wrong...)
}

// sockets names what the engine listens on.
func (n *node) sockets() []string {
	var all []string
	for _, s := range n.engine.Sockets() {
		all = append(all, fmt.Sprintf("%v:%v", s.Proto, s.Addr))
	}
	return all
}

// status is what a service manager shows of us.
func (n *node) status() string { return "listening on " + strings.Join(n.sockets(), " ") }
