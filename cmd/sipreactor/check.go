package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sipreactor/reactor"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/script"
	"sipreactor/tlsstate"
	"sipreactor/tlsstate/regular"
)

// check is -C: it tells whether the configuration is right and would start here, as far as that shows without opening its
// sockets and without asking databases on a network. What only this machine lacks fails with --here alone: a configuration
// is checked elsewhere, too. It changes nothing on the machine.
func check(ctx context.Context, o options, stdout, stderr io.Writer) int {
	cfg, unread := loadConfig(o)
	warnings := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: untimed}))
	err := examine(ctx, o, cfg, unread, warnings)
	wrong, lacks := apart(err)
	if cfg == nil || cfg.Program == nil {
		wrong, lacks = script.Parts(unread), nil
	}
	if len(wrong) == 0 {
		if expired := cfg.CheckValidity(time.Now()); expired != nil {
			wrong, err = append(wrong, expired), errors.Join(err, expired)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	if len(wrong) > 0 || o.here && len(lacks) > 0 {
		return exitFailed
	}
	for _, note := range cfg.Notes {
		fmt.Fprintln(stderr, note)
	}
	for _, note := range o.process.notes {
		fmt.Fprintln(stderr, note)
	}
	fmt.Fprintf(stdout, "%s: ok", cmp.Or(o.file, builtIn))
	if n := len(lacks); n > 0 {
		fmt.Fprintf(stdout, ", but for what this machine lacks (%d, named above; with --here that is an error)", n)
	}
	fmt.Fprintln(stdout)
	return exitOK
}

// apart takes what this machine lacks out of what examine has found: addresses, names, files and folders that are not
// there, or that this user may not use. Certificates that are missing are missing everywhere.
func apart(err error) (wrong, lacks []error) {
	if err == nil {
		return nil, nil
	}
	for _, e := range script.Parts(err) {
		var placed *script.Error
		absent := errors.Is(e, fs.ErrNotExist) || errors.Is(e, fs.ErrPermission) || errors.Is(e, unix.EADDRNOTAVAIL) || errors.As(e, new(*net.DNSError))
		if absent && errors.As(e, &placed) && placed.Line > 0 { // others are of the command line
			lacks = append(lacks, e)
		} else {
			wrong = append(wrong, e)
		}
	}
	return wrong, lacks
}

// untimed leaves time and level out of a line.
func untimed(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	return a
}

// examine finds all that a start with a configuration would refuse, besides known, which is what Load or a start has said
// of it: each part is looked at whatever is wrong with the others. A configuration that Load has returned with an error is
// looked at as far as it could be read. The modules of cfg must not have been started.
func examine(ctx context.Context, o options, cfg *script.Config, known error, log *slog.Logger) error {
	if cfg == nil || cfg.Program == nil {
		return known
	}
	all := []error{known}
	if _, err := o.process.identity(); err != nil {
		all = append(all, err)
	}
	if o.process.pidFile != "" {
		if err := regular.WritableFile(o.process.pidFile); err != nil {
			all = append(all, fmt.Errorf("-P: %w", err))
		}
	}
	wanted, _, err := listeners(ctx, cfg)
	if o.file != "" { // the built-in configuration has a folder of its own, and takes another port where its own is taken
		all = append(all, checkPaths(cfg), checkManagementSockets(cfg, wanted))
	}
	sockets := reactor.Named(wanted)
	switch {
	case err != nil:
		sockets = nil // some are not known, so a name may be that of one of them
	case len(sockets) > 0:
		all = append(all, cfg.CheckSockets(sockets))
	}
	if !errors.As(known, new(*reactor.ListenError)) { // then each has been tried
		all = append(all, err, checkSockets(cfg))
	}
	domains, wrongDomains := checkDomains(cfg)
	all = append(all, wrongDomains, cfg.Try(log, sockets))
	if wrong, _ := apart(errors.Join(all...)); len(wrong) == 0 && known == nil && err == nil {
		if domains != nil && cfg.CheckValidity(time.Now()) == nil { // what check tells as an error they warn of, too
			warnOf(domains, log)
		}
		n, err := newNode(ctx, cfg, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			return inOrder(errors.Join(append(all, err)...))
		}
		if n.table != nil {
			n.table.opt.Trial = true
		}
		all = append(all, n.startTable(ctx, cfg))
		n.close()
	}
	return inOrder(errors.Join(all...))
}

// checkPaths looks at the files and folders that the program itself makes.
func checkPaths(cfg *script.Config) error {
	var all []error
	if cfg.StateDir != "" {
		all = append(all, script.ErrorAt(cfg.Place("state_dir"), stateDir(cfg.StateDir).check()))
	}
	if path := keyLogPath(cfg); path != "" && !cfg.Broken("tls_mgm") {
		all = append(all, placed(cfg.Place("tls_mgm/ssl_keylog_file"), "tls_mgm", regular.WritableFile(path)))
	}
	if slices.Contains(cfg.Modules, "mi_fifo") && !cfg.Broken("mi_fifo") {
		f := fifoConfig(cfg, nil)
		all = append(all, placed(said[mi_fifo.Config](cfg, "mi_fifo").At, "mi_fifo", f.Check()))
	}
	if slices.Contains(cfg.Modules, "mi_datagram") && said[mi_datagram.Config](cfg, "mi_datagram").Socket != "" && !cfg.Broken("mi_datagram") {
		d := datagramConfig(cfg, nil)
		all = append(all, placed(said[mi_datagram.Config](cfg, "mi_datagram").At, "mi_datagram", d.Check()))
	}
	if !cfg.Broken("httpd") {
		web := said[httpd.Config](cfg, "httpd")
		_, err := newWebIdentity(web.CertFile, web.KeyFile)
		if err != nil {
			err = errors.New(err.Error()) // wherever that is
		}
		all = append(all, placed(web.At, "httpd", err))
	}
	return errors.Join(all...)
}

// checkSockets looks at the addresses that are listened on: they must be this machine's.
func checkSockets(cfg *script.Config) error {
	var all []error
	for _, d := range cfg.Sockets {
		if a, err := netip.ParseAddr(d.Host); err == nil && !canBind(a) {
			all = append(all, script.ErrorAt(d.Pos, elsewhere{fmt.Sprintf("socket %v:%s", d.Proto, d.Host)}))
		}
	}
	return errors.Join(all...)
}

// elsewhere is the error of a socket whose address this machine has not.
type elsewhere struct{ socket string }

func (e elsewhere) Error() string { return e.socket + ": the address is not this machine's" }

func (elsewhere) Unwrap() error { return unix.EADDRNOTAVAIL }

// canBind reports whether the system gives an address to sockets, which it does for those of this machine, and for all
// where ip_nonlocal_bind says so. It takes a port of its own for a moment.
func canBind(a netip.Addr) bool {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err == nil {
		_ = c.Close()
	}
	return !errors.Is(err, unix.EADDRNOTAVAIL)
}

// checkDomains builds the TLS domains of the configuration; nil where that is newNode's to tell of.
func checkDomains(cfg *script.Config) (tlsstate.Domains, error) {
	library, ok := tlsstate.LookupLibrary(cmp.Or(cfg.TLSLibrary, tlsstate.GoLibrary))
	if !ok || cfg.Broken("tls_mgm") {
		return nil, nil // newNode tells
	}
	set, err := library.Build(cfg.TLS)
	if err != nil {
		return nil, cfg.Locate(err)
	}
	return set, nil
}

// warnOf tells what somebody should look at in TLS domains.
func warnOf(set tlsstate.Domains, log *slog.Logger) {
	for _, w := range set.Warnings() {
		log.Warn("TLS domain", "warning", w)
	}
}

// inOrder sorts errors by their places in the configuration, each once; those without a line come last.
func inOrder(err error) error {
	if err == nil {
		return nil
	}
	var all script.Errors
	if !errors.As(script.ErrorAt(script.Pos{}, err), &all) {
		return err
	}
	files := map[string]int{}
	var kept script.Errors
	for _, e := range all {
		if _, ok := files[e.File]; !ok && e.File != "" {
			files[e.File] = len(files)
		}
		if !slices.ContainsFunc(kept, func(k *script.Error) bool { return *k == *e || k.Error() == e.Error() }) {
			kept = append(kept, e)
		}
	}
	slices.SortStableFunc(kept, func(a, b *script.Error) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return kept
}
