package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
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
	if l, ok := observer.(tap); ok {
		handler = tapped{n.proxy, l}
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
