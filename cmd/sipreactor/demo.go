package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"sipreactor/cmd/sipreactor/load"
	"sipreactor/reactor"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
)

// demo is a user agent client, the engine and a user agent server in one process, over real sockets with TLS on
// both legs.
type demo struct {
	out      io.Writer
	calls    int
	duration time.Duration
	rate     float64
	cert     string
	scenario string

	node    *node
	uas     *load.Server
	peer    load.Peer
	ladder  *ladder
	watched atomic.Bool // the ladder is being drawn
	drawn   sync.Map    // reactor.Handle of each connection in it
}

const (
	demoConnections = 8
	demoWindow      = 4
	// slowHandshake is how long the server's end holds its first handshake up: more than the engine lets a
	// sender wait, so that the call is parked behind it.
	slowHandshake = 25 * time.Millisecond
	// demoPatience is how long the ends and their handshakes may take: they share this machine, and it is what it is.
	demoPatience = 20 * time.Second
)

func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	d := &demo{out: stdout, ladder: &ladder{names: oneEngine}}
	f := pflag.NewFlagSet("sipreactor demo", pflag.ContinueOnError)
	f.SortFlags = false
	f.SetOutput(io.Discard)
	f.IntVar(&d.calls, "calls", 0, "end the load after this many calls (0: when the duration is over)")
	f.DurationVar(&d.duration, "duration", 5*time.Second, "how long calls begin")
	f.StringVar(&d.cert, "cert", "ecdsa", "kind of the certificates: ecdsa or rsa")
	f.StringVar(&d.scenario, "scenario", "", "something else than that: trusted-domains, calls between domains that trust one another")
	f.Float64Var(&d.rate, "rate", 0, "calls a second (0: as many as go, 32 at a time)")
	f.Usage = func() {}
	err := f.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(stdout, "Usage: sipreactor demo [flags]\n\nA caller, the engine and a callee in one process, with TLS on both legs:\n"+
			"one call step by step, one by a transaction, one over a second trunk, one that is canceled, then a load. Exits 0 when every call ended as it should.\n\nFlags:\n%s", f.FlagUsages())
		return exitOK
	case err == nil && f.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", f.Arg(0))
	case err == nil && d.scenario != "" && d.scenario != trustedDomains:
		err = fmt.Errorf("--scenario %s: there is %s", d.scenario, trustedDomains)
	case err == nil && d.cert != "ecdsa" && d.cert != "rsa":
		err = fmt.Errorf("--cert %s: ecdsa or rsa", d.cert)
	case err == nil && (d.calls < 0 || d.rate < 0 || d.duration <= 0):
		err = errors.New("--calls and --rate are 0 or more, --duration more than 0")
	}
	if err != nil {
		fmt.Fprintf(stderr, "sipreactor demo: %v\nsipreactor demo --help tells the usage\n", err)
		return exitUsage
	}
	log := newLogWriter(stderr, logQueue)
	defer log.Close(time.Second)
	do := d.run
	if d.scenario != "" {
		do = d.trustedDomains
	}
	clean, err := do(ctx, log)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "sipreactor demo:", err)
		return exitFailed
	case !clean:
		return exitFailed
	}
	return exitOK
}

func (d *demo) run(ctx context.Context, log io.Writer) (clean bool, err error) {
	if err := d.start(log); err != nil {
		return false, err
	}
	defer d.stop()
	fmt.Fprintf(d.out, "One call through %s, %s certificates, TLS on both legs:\n\n", d.node.sockets()[0], d.cert)
	one, err := d.oneCall(ctx)
	if err != nil {
		return false, err
	}
	d.ladder.draw(d.out)
	fmt.Fprintf(d.out, "\nThe caller was here before, so its handshake resumes. The callee takes %v over its first\n"+
		"handshake: the call waits parked, and no thread waits with it.\n\n", slowHandshake)
	if !one.Clean() {
		fmt.Fprint(d.out, one)
		return false, nil
	}
	if clean, err := d.stateful(ctx, log); !clean || err != nil {
		return false, err
	}
	return d.load(ctx)
}

// start opens the engine on a port of its own, and the callee.
func (d *demo) start(log io.Writer) error {
	ca, err := load.NewAuthority()
	if err != nil {
		return err
	}
	cfg, err := d.config(ca)
	if err != nil {
		return err
	}
	sockets := []reactor.SocketConfig{{Proto: reactor.TLS, Addr: netip.MustParseAddrPort("127.0.0.1:0")}}
	if d.node, err = assemble(cfg, sockets, newLogger(log, script.LevelWarn, ""), d); err != nil {
		return err
	}
	if err := d.node.engine.Start(); err != nil {
		return err
	}
	server, err := ca.ServerConfig(d.cert, "127.0.0.1")
	if err == nil {
		var held atomic.Bool
		server.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			if held.CompareAndSwap(false, true) {
				time.Sleep(slowHandshake)
			}
			return nil, nil // the configuration as it is
		}
		d.uas, err = load.Listen("127.0.0.1:0", server)
	}
	if err != nil {
		d.stop()
		return err
	}
	d.uas.Trace = func(sent bool, message string) { d.saw(colUAS, sent, message) }
	d.peer = load.Peer{Addr: d.node.engine.Sockets()[0].Addr.String(), TLS: ca.ClientConfig()}
	d.peer.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return nil
}

// config is the built-in configuration with certificates that everybody here verifies.
func (d *demo) config(ca *load.Authority) (*script.Config, error) {
	cfg, err := loadConfig(options{})
	if err != nil {
		return nil, err
	}
	cert, key, err := ca.Issue(d.cert, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	cfg.Engine.TLS.HandshakeTimeout = demoPatience
	never := false
	cfg.TLS.Domains = []tlsstate.DomainConfig{
		{
			Name: "demo", Role: tlsstate.Server, VerifyCert: &never, RequireCert: &never,
			Certificates: []tlsstate.KeyPair{{CertificatePEM: cert, PrivateKeyPEM: key}},
		},
		{Name: "demo", Role: tlsstate.Client, CAPEM: ca.PEM},
	}
	return cfg, nil
}

func (d *demo) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	defer d.node.close()
	if err := d.node.engine.Stop(ctx); err != nil {
		d.node.log.Warn("not everything was finished", "error", err)
	}
	if d.uas != nil {
		d.uas.Close()
	}
}

// saw puts a message of one of the ends into the ladder.
func (d *demo) saw(who column, sent bool, message string) {
	switch {
	case !d.watched.Load():
	case sent:
		d.ladder.message(who, colEngine, message)
	default:
		d.ladder.message(colEngine, who, message)
	}
}

// Observe puts the states of connections into the ladder: reactor.Observer.
func (d *demo) Observe(e *reactor.Event) {
	if !d.watched.Load() {
		return
	}
	if e.Kind == reactor.ConnAccepted || e.Kind == reactor.ConnectStarted {
		d.drawn.Store(e.Src.Conn, true)
	} else if _, ok := d.drawn.Load(e.Src.Conn); !ok {
		return // the end of the connection that fetched the ticket
	}
	left, right := colUAC, colEngine
	if e.Src.Outbound {
		left, right = colEngine, colUAS
	}
	text := e.Kind.String()
	if e.TLS != nil {
		text += " " + e.TLS.VersionName()
		if e.TLS.Resumed {
			text += ", resumed"
		}
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	d.ladder.step(e.Time, left, right, text)
}

// oneCall fetches a session ticket, then makes the call that the ladder shows.
func (d *demo) oneCall(ctx context.Context) (load.Result, error) {
	own := "sip:" + d.peer.Addr + ";transport=tls"
	r, err := load.Options{Peer: d.peer, URI: own, Count: 1, Duration: time.Minute, Timeout: demoPatience}.Run(ctx)
	if err != nil || !r.Clean() {
		return r, err
	}
	d.watched.Store(true)
	defer d.watched.Store(false)
	finals := 0
	r, err = load.Calls{
		Peer: d.peer, URI: d.uas.URI(), Count: 1, Duration: time.Minute, Timeout: demoPatience,
		Trace: func(sent bool, message string) {
			d.saw(colUAC, sent, message)
			if !sent && message == "200" {
				if finals++; finals == 2 { // to INVITE and BYE
					d.ladder.finish()
				}
			}
		},
	}.Run(ctx)
	d.ladder.finish()
	return r, err
}

// load offers calls and shows how it goes, then what it came to.
func (d *demo) load(ctx context.Context) (clean bool, err error) {
	c := load.Calls{
		Peer: d.peer, URI: d.uas.URI(), Connections: demoConnections, Window: demoWindow,
		Rate: d.rate, Duration: d.duration, Count: d.calls, Timeout: demoPatience, Tally: load.NewTally(),
	}
	what := fmt.Sprintf("as many calls as go, %d at a time on %d connections", demoConnections*demoWindow, demoConnections)
	if d.rate > 0 {
		what = fmt.Sprintf("%g calls/s on %d connections", d.rate, demoConnections)
		if d.calls > 0 {
			c.Duration = min(c.Duration, time.Duration(float64(d.calls)/d.rate*float64(time.Second)))
		}
	}
	fmt.Fprintf(d.out, "Now %s, for %v:\n\n", what, c.Duration)

	watching, end := context.WithCancel(ctx)
	watched := make(chan struct{})
	before := cpuTime()
	go func() {
		defer close(watched)
		(&meter{out: d.out, terminal: isTerminal(d.out), tally: c.Tally}).run(watching)
	}()
	r, err := c.Run(ctx)
	cpu := cpuTime() - before
	end()
	<-watched
	if err != nil {
		return false, err
	}
	r.Seen(d.uas.Stats())
	d.summary(r, cpu)
	return r.Clean() && r.Done > 0, nil
}

func (d *demo) summary(r load.Result, cpu time.Duration) {
	fmt.Fprintf(d.out, "\n%d calls in %.1f s, %.0f calls/s; %d failed, %d lost, %d duplicated, %d retransmitted\n",
		r.Done, r.Elapsed.Seconds(), r.Rate(), r.Failed, r.Lost, r.Duplicated, r.Retransmitted)
	fmt.Fprintf(d.out, "INVITE to 200:  %v\n", r.Latency)
	fmt.Fprintf(d.out, "BYE to 200:     %v\n", r.Phases["bye"])
	if r.Done > 0 {
		fmt.Fprintf(d.out, "CPU:            %s a call for the caller, the engine and the callee together, on %d cores\n",
			short(cpu/time.Duration(r.Done)), runtime.GOMAXPROCS(0))
	}
	for reason, n := range r.Reasons {
		fmt.Fprintf(d.out, "%d × %s\n", n, reason)
	}
	s := d.node.engine.Stats()
	fmt.Fprintf(d.out, "Engine:         %d messages in, %d out in %d writes; %d handshakes, %d resumed, %d parked\n",
		s.MessagesIn, s.MessagesOut, s.Batches, s.Handshakes, s.Resumed, s.Parked)
}
