package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/mi/page"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_http"
	prom "sipreactor/reactor/modules/prometheus"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// defaultFIFO is where OpenSIPS' mi_fifo listens when fifo_name does not say.
const defaultFIFO = "/tmp/opensips_fifo"

// management is where management commands come in.
type management struct {
	fifo     *mi.FIFO
	http     *mi.HTTP
	datagram *mi.Datagram
	page     netip.AddrPort // where HTTP is served
	token    string         // that it asks for
}

// serveManagement opens what the loaded modules ask for: mi_fifo, mi_http on httpd (with /metrics and the status page
// beside it), mi_datagram. kill begins the program's orderly end.
func (n *node) serveManagement(cfg *script.Config, levels logLevels, kill func()) (*management, error) {
	n.tellExposure(cfg)
	m := &management{}
	commands := &mi.Node{
		Version:    "sipreactor (" + version + " (" + runtime.GOARCH + "/" + runtime.GOOS + "))",
		Started:    n.started,
		Engine:     n.engine,
		Proxy:      n.proxy,
		Blacklists: n.proxy.Blacklists,
		Reports:    n.reports,
		Peers:      n.peers.Peers,
		Traces:     n.trace.switches(cfg),
		Script:     n.scriptFigures,
		Extra:      []mi.Source{n.logFigures, n.moduleFigures},
		Collectors: n.trace.collectors,
		Domains:    func() []tlsstate.DomainInfo { return (*n.current.Load()).Domains() },
		Reload:     n.reloadTLS,
		Log:        levels.log,
		XLog:       levels.xlog,
		Processes:  n.processes,
		Kill:       kill,
		Lifetime:   cfg.Engine.Lifetime,
	}
	if n.load != nil {
		commands.ReloadRoutes = func() ([]string, error) { return n.reloadRoutes(levels) }
	}
	cfg.Program.SetStatistics(commands.Statistics())
	if slices.Contains(cfg.Modules, "tracer") {
		commands.Tracer = n.trace.messages()
	}
	if len(destinations(cfg)) > 0 {
		commands.Destinations = func() []mi.DestinationSource { return destinations(n.cfg.Load()) }
	}
	d := n.commands
	if err := d.Register(slices.Concat(commands.Commands(), eventCommands(n.routes), cacheCommands(n.cache), cfg.Commands())...); err != nil {
		return nil, err
	}
	if n.recent != nil {
		n.recent.Start(n.engine)
		if err := d.Register(page.Commands(commands, n.recent)...); err != nil {
			return nil, err
		}
	}
	loaded := func(module string) bool { return slices.Contains(cfg.Modules, module) }
	var err error
	if loaded("mi_fifo") {
		m.fifo, err = mi.ServeFIFO(fifoConfig(cfg, n.log), d)
		err = placed(said[mi_fifo.Config](cfg, "mi_fifo").At, "mi_fifo", err)
	}
	if err == nil && loaded("mi_datagram") && said[mi_datagram.Config](cfg, "mi_datagram").Socket != "" {
		m.datagram, err = mi.ServeDatagram(datagramConfig(cfg, n.log), d)
		err = placed(said[mi_datagram.Config](cfg, "mi_datagram").At, "mi_datagram", err)
	}
	if !loaded("mi_http") {
		d = rpc.NewDispatcher(n.log) // whoever wants metrics alone gets no commands
	}
	if err == nil && (loaded("mi_http") || loaded("prometheus")) {
		err = placed(said[httpd.Config](cfg, "httpd").At, "httpd", m.listen(cfg, commands, d, n))
	}
	if err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// fifoConfig is what the configuration says of the FIFO.
func fifoConfig(cfg *script.Config, log *slog.Logger) mi.FIFOConfig {
	f := said[mi_fifo.Config](cfg, "mi_fifo")
	return mi.FIFOConfig{Name: cmp.Or(f.Name, defaultFIFO), Mode: fs.FileMode(f.Mode), User: f.User, Group: f.Group, ReplyDir: f.ReplyDir, Log: log}
}

// datagramConfig is what it says of the socket for datagrams.
func datagramConfig(cfg *script.Config, log *slog.Logger) mi.DatagramConfig {
	d := said[mi_datagram.Config](cfg, "mi_datagram")
	return mi.DatagramConfig{Name: d.Socket, Mode: fs.FileMode(d.Mode), WriteTimeout: d.Timeout, Buffer: d.Buffer, Allow: d.Allow, Log: log}
}

// placed gives an error of a module the place where the configuration asks for it. Who may not write in a folder is told
// who it is that may not.
func placed(at script.Pos, module string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrPermission) {
		who := strconv.Itoa(os.Geteuid())
		if u, bad := user.LookupId(who); bad == nil {
			who = u.Username
		}
		err = fmt.Errorf("%w: the program runs as the user %s, who needs a folder to write in", err, who)
	}
	return script.ErrorAt(at, fmt.Errorf("%s: %w", module, err))
}

// listen serves HTTP.
func (m *management) listen(cfg *script.Config, commands *mi.Node, d *rpc.Dispatcher, n *node) error {
	h := said[httpd.Config](cfg, "httpd")
	hc := mi.HTTPConfig{Root: said[mi_http.Config](cfg, "mi_http").Root, Allow: h.Allow, Token: h.Token, User: h.User, Password: h.Password, Realm: h.Realm,
		Timeout: h.Timeout, Log: n.log}
	if err := n.ensureToken(h, &hc); err != nil {
		return err
	}
	m.token = hc.Token
	if n.web != nil {
		hc.Secure = n.web.secure
	}
	if h.IP != "" || h.Port != 0 {
		var err error
		if hc.Addr, err = httpAddr(h); err != nil {
			return err
		}
	}
	var named []prometheus.Collector
	if n.logLost != nil {
		named = append(named, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "sipreactor_log_lines_dropped_total",
			Help: "Lines of the log that its reader was too slow for, or that could not be written."}, func() float64 { return float64(n.logLost()) }))
	}
	asked, _ := cfg.Instance("prometheus").(*prom.Config)
	if asked != nil {
		named = append(named, namedMetrics(asked, commands.Statistics()))
	}
	metrics, err := mi.Metrics(commands, n.log, named...)
	if err != nil {
		return err
	}
	if m.http, err = mi.ServeHTTP(hc, d); n.anyPort && errors.Is(err, syscall.EADDRINUSE) {
		hc.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)
		m.http, err = mi.ServeHTTP(hc, d)
	}
	if err != nil {
		return err
	}
	m.page = m.http.Addr()
	m.http.Handle("GET /metrics", metrics)
	if asked != nil && asked.Root != "metrics" {
		m.http.Handle("GET /"+asked.Root, metrics)
	}
	if !slices.Contains(cfg.Modules, "mi_http") {
		return nil
	}
	return page.Mount(m.http)
}

// httpAddr is where HTTP is served.
func httpAddr(h *httpd.Config) (netip.AddrPort, error) {
	ip, port := h.IP, h.Port
	if ip == "" || ip == "localhost" {
		ip = "127.0.0.1"
	}
	if port == 0 {
		port = 8888
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("ip %q is no address", ip)
	}
	return netip.AddrPortFrom(addr, port), nil
}

// tokenFile is the file of state_dir with the token for management over HTTP.
const tokenFile = "http_token"

// ensureToken sees that management over HTTP asks for something: other users of this machine reach it, too.
func (n *node) ensureToken(h *httpd.Config, hc *mi.HTTPConfig) (err error) {
	switch {
	case h.Token != "":
	case h.Open && h.Password != "":
	case h.Open: // tellExposure says so
	default:
		if hc.Token, err = n.state.secret(tokenFile); err != nil {
			return fmt.Errorf(`no token can be kept: %w; modparam("httpd", "token", "...") sets one, "none" does without`, err)
		}
		n.log.Info("management over HTTP asks for a token", "file", n.state.path(tokenFile))
	}
	return nil
}

// namedMetrics are the statistics that the module prometheus asks for.
func namedMetrics(p *prom.Config, s *mi.Statistics) *mi.NamedMetrics {
	c := &mi.NamedMetrics{Statistics: s, Names: p.Statistics, Prefix: p.Prefix, Delimiter: p.Delimiter}
	switch p.GroupMode {
	case prom.GroupLeftOut:
	case prom.GroupInName:
		c.Group = func(group string) string { return p.GroupPrefix + group }
	case prom.GroupLabelled:
		c.Label = p.GroupLabel
	}
	return c
}

// logFigures are the statistics of the log.
func (n *node) logFigures(add func(mi.Value)) {
	if n.logLost != nil {
		add(mi.Value{Group: "core", Name: "log_lines_dropped", N: n.logLost()})
	}
}

// scriptFigures are the statistics that the script makes.
func (n *node) scriptFigures(add func(mi.Value)) {
	n.cfg.Load().Program.Statistics(func(group, name string, n uint64, reset func()) {
		add(mi.Value{Group: group, Name: name, N: n, Gauge: reset == nil, Reset: reset})
	})
}

// moduleFigures are the statistics of modules.
func (n *node) moduleFigures(add func(mi.Value)) {
	n.cfg.Load().ModuleStatistics(func(group string, s *script.Statistic) {
		add(mi.Value{Group: group, Name: s.Name, Func: s.Read, Gauge: s.Gauge, Reset: s.Reset})
	})
}

// destinations lists the modules that send calls to destinations.
func destinations(cfg *script.Config) (all []mi.DestinationSource) {
	for _, m := range cfg.Instances() {
		if s, ok := m.(mi.DestinationSource); ok {
			all = append(all, s)
		}
	}
	return all
}

// processes lists what works inside of the program.
func (n *node) processes() []string {
	c := n.engine.Goroutines()
	var all []string
	for _, kind := range []struct {
		name  string
		count int
	}{{"event loop (tls MAIN)", c.Loops}, {"handshaker", c.Handshakers}, {"worker", c.Workers}, {"connect queue", 1}} {
		for i := range kind.count {
			all = append(all, fmt.Sprintf("%s %d", kind.name, i+1))
		}
	}
	return all
}

// close stops serving.
func (m *management) close() {
	if m.fifo != nil {
		m.fifo.Close()
	}
	if m.datagram != nil {
		m.datagram.Close()
	}
	if m.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = m.http.Close(ctx)
	}
}
