package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/rescue"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
)

// closeLimit is how long peers may take for what is still to be written to them and for their ends, once nothing is
// under way any more or shutdown_timeout is over.
const closeLimit = 3 * time.Second

// lastLimit is how long modules may take for what they write at the end: where a database is away some give it five
// seconds each, and tell what they could not write behind that.
const lastLimit = 20 * time.Second

// builtIn is the name of the configuration that runs without -f.
const builtIn = "built-in configuration"

// loadConfig reads and compiles a configuration, "" is the built-in one, with what the command line adds.
func loadConfig(o options) (cfg *script.Config, err error) {
	if o.file == "" {
		cfg, err = loader(o.process.listen...).Compile(builtIn, script.Default())
	} else {
		cfg, err = loader(o.process.listen...).Load(o.file)
	}
	if err == nil && o.process.workdir != "" {
		err = os.Chdir(o.process.workdir)
	}
	return cfg, err
}

// serve runs the proxy until a signal or the end of ctx.
func serve(ctx context.Context, o options, stdout, stderr io.Writer) int {
	if o.file != "" { // it is read again from where the program works by then, and its places are called the same
		file, err := filepath.Abs(o.file)
		if err != nil {
			fmt.Fprintln(stderr, "sipreactor:", err)
			return exitFailed
		}
		o.file = file
	}
	again := reloader(o)
	cfg, err := loadConfig(o)
	as, wrongUser := o.process.identity()
	if err = errors.Join(err, wrongUser); err == nil && cfg.StateDir != "" {
		err = script.ErrorAt(cfg.Place("state_dir"), stateDir(cfg.StateDir).check())
	}
	if err != nil {
		fmt.Fprintln(stderr, examine(ctx, o, cfg, err, slog.New(slog.DiscardHandler)))
		return exitFailed
	}
	if o.file == "" {
		clean, err := leavesNothing(cfg)
		if err != nil {
			fmt.Fprintln(stderr, "sipreactor:", err)
			return exitFailed
		}
		defer clean()
	}
	out := newLogWriter(stderr, logQueue)
	defer out.Close(time.Second)
	levels := levelsOf(cfg)
	log := logTo(out, cfg, levels, o.process.logStderr)
	for _, note := range cfg.Notes {
		level := slog.LevelInfo
		if note.Warning {
			level = slog.LevelWarn
		}
		log.Log(ctx, level, note.Msg, "at", note.Pos)
	}
	for _, note := range o.process.notes {
		log.Info(note)
	}
	if limit, err := raiseFileLimit(cfg.OpenFiles); err != nil {
		log.Warn(err.Error())
	} else if need := uint64(cfg.Engine.MaxConnections); limit < need {
		log.Warn("fewer files than connections may be open: raise the limit or open_files_limit",
			"files", limit, "tcp_max_connections", need)
	}

	// Whoever reads the log, or the welcome, may go away: that is no reason to end.
	signal.Ignore(syscall.SIGPIPE)

	// Signals are caught before the sockets open: none may hit a half-started engine.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)

	closeKeys, err := openKeyLog(cfg, log)
	if err != nil {
		log.Error("cannot start: " + err.Error())
		return exitFailed
	}
	defer closeKeys()
	keepBranchSecret(cfg, log)
	handed := activation.Files(true)
	defer letGo(handed)
	removePID, err := writePID(o.process.pidFile, as)
	if err != nil {
		log.Error("cannot start: " + err.Error())
		return exitFailed
	}
	defer removePID()
	var n *node
	err = begin(signals, func() error {
		var err error
		if n, err = newNode(ctx, cfg, log, handed); err != nil {
			return err
		}
		n.logLost = out.Dropped
		n.super = newSupervisor(log)
		n.bound = as.take
		n.load = again
		n.anyPort = o.file == ""
		return n.start(cfg, levels, func() { signals <- syscall.SIGTERM })
	})
	if err != nil {
		err = locateSockets(cfg, err)
		if fresh, bad := again(nil); bad == nil && !errors.Is(err, errEnded) {
			err = examine(ctx, o, fresh, err, slog.New(slog.DiscardHandler))
		}
		for line := range strings.Lines(err.Error()) {
			log.Error("cannot start: " + strings.TrimSuffix(line, "\n"))
		}
		return exitFailed
	}
	defer n.finish()
	defer keepHeap(n.engine.Connections)()
	// Whoever waits for this line gets it at every log_level.
	always := named(prefixed(newLogger(out, script.LevelDebug, ""), levels.prefix), cfg.Log.Name)
	always.Log(ctx, script.LevelNotice.Slog(), "ready", "sockets", strings.Join(n.sockets(), " "), "tls_library", n.library.Name)
	if o.file == "" {
		welcome(stdout, n.engine.Sockets(), said[mi_fifo.Config](cfg, "mi_fifo").Name, n.manage)
	}
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { _ = rescue.Run(n.log, "the watchdog", func() { n.super.watch(watch, n.engine.Pulse) }) })
	n.super.ready(n.status())
	return n.wait(ctx, signals, levels, always, cancel)
}

// leavesNothing has a try of the program keep what it keeps in a folder of its own, which clean removes.
func leavesNothing(cfg *script.Config) (clean func(), err error) {
	dir, err := os.MkdirTemp("", "sipreactor-") // 0700: nobody else comes in
	if err != nil {
		return nil, err
	}
	fifo := said[mi_fifo.Config](cfg, "mi_fifo")
	fifo.Name, fifo.ReplyDir = filepath.Join(dir, "fifo"), dir
	cfg.StateDir = filepath.Join(dir, "state")
	return func() { _ = os.RemoveAll(dir) }, nil
}

// locateSockets gives errors of sockets that cannot be listened on their places in the configuration.
func locateSockets(cfg *script.Config, err error) error {
	list := []error{err}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		list = joined.Unwrap()
	}
	for i := range list {
		var l *reactor.ListenError
		if !errors.As(list[i], &l) {
			return err
		}
		list[i] = l
		for _, d := range cfg.Sockets {
			if host, bad := netip.ParseAddr(d.Host); d.Proto == l.Proto && d.Port == l.Addr.Port() && (bad != nil || host.Unmap() == l.Addr.Addr()) {
				list[i] = script.ErrorAt(d.Pos, fmt.Errorf("socket %w", l))
				break
			}
		}
	}
	return errors.Join(list...)
}

// start runs the engine and then the management interface. After an error nothing is left.
func (n *node) start(cfg *script.Config, levels logLevels, kill func()) error {
	err := cfg.Start(n.surroundings(), nil)
	if err == nil {
		err = n.startTable(context.Background(), cfg)
	}
	if err == nil {
		err = n.engine.Start()
	}
	if err != nil {
		n.close()
		return err
	}
	close(n.running)
	var m *management
	if n.bound != nil {
		err = n.bound()
	}
	if err == nil {
		m, err = n.serveManagement(cfg, levels, kill)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = n.engine.Stop(ctx)
		n.close()
		return err
	}
	n.manage = m
	n.told.Set(statusreport.Loaded, "running")
	n.told.Reportf("initialization completed, ready now")
	n.routes.Start()
	return nil
}

// finish ends what is around the engine, which does not run any more.
func (n *node) finish() {
	if !within(lastLimit, n.close) {
		n.log.Error("ended before all modules had: what they were writing is lost", "limit", lastLimit)
	}
}

// surroundings are what modules run in.
func (n *node) surroundings() script.Surroundings {
	return script.Surroundings{Log: n.log, Engine: n.engine, Proxy: n.proxy, Commands: n.commands, Events: n.routes, Reports: n.reports,
		StateDir: string(n.state), Running: n.running}
}

// welcome tells who starts the program without a configuration what to try.
func welcome(w io.Writer, sockets []*reactor.Socket, fifo string, m *management) {
	for _, s := range sockets {
		if s.Proto != reactor.TLS {
			continue
		}
		fmt.Fprintf(w, `sipreactor listens on tls:%[1]v, for this machine only. To try, from its repository:

  (printf 'OPTIONS sip:%[1]v SIP/2.0\r\nVia: SIP/2.0/TLS localhost;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\nFrom: <sip:me@localhost>;tag=1\r\nTo: <sip:%[1]v>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n'; sleep 1) | openssl s_client -connect %[1]v -quiet -no_ign_eof

  go -C bench run . shim --listen 127.0.0.1:5070 --to %[1]v &  # Debian's sipp speaks no TLS
  sipp 127.0.0.1:5070 -t t1 -max_socket 1000 -sf bench/sipp/options.xml -key callee sip:%[1]v -m 1000 -r 100

  go run ./cmd/sipreactor demo

The status page is http://%[2]v/ and asks for the token %[3]s
Commands: go run ./cmd/sipreactor mi --to %[4]s --reply-dir %[5]s which

`, s.Addr, m.page, m.token, fifo, filepath.Dir(fifo))
		return
	}
}
