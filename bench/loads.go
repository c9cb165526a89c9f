package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sipreactor/bench/system"
	"sipreactor/cmd/sipreactor/load"
)

type command struct {
	name, about string
	run         func(ctx context.Context, args []string, out io.Writer) (clean bool, err error)
}

var commands = []command{
	{"uas", "answer whatever comes until interrupted", runServer},
	{"options", "requests on persistent connections", runOptions},
	{"calls", "INVITE, 180, 200, ACK, BYE, 200 through a proxy", runCalls},
	{"registers", "REGISTER, 401 and REGISTER with credentials, by users u0, u1 and so on", runRegisters},
	{"overload", "requests at one, two and three times what is carried", runOverload},
	{"handshakes", "new connections with one request each", runHandshakes},
	{"idle", "connections that say nothing", runIdle},
	{"shim", "put TLS before software that has none", runShim},
	{"disturb", "be a peer that others must not suffer from", runDisturb},
	{"setup", "tell what of Debian is missing, or install it", runSetup},
	{"table", "print the figures that files of bench/figures show, from a report.json", runTable},
}

// flags are those that several loads share.
type flags struct {
	*pflag.FlagSet
	to, callee  string
	plain, json bool
	tls12       bool
	curves      []string
	offered     []tls.CurveID
	connections int
	window      int
	rate        float64
	duration    time.Duration
	timeout     time.Duration
}

func newFlags(name string, out io.Writer) *flags {
	f := &flags{FlagSet: pflag.NewFlagSet("bench "+name, pflag.ContinueOnError)}
	f.SetOutput(out)
	f.SortFlags = false
	f.StringVar(&f.to, "to", "127.0.0.1:5061", "address of the system under test")
	f.StringVar(&f.callee, "callee", "", "Request-URI (default: the system under test itself)")
	f.BoolVar(&f.plain, "tcp", false, "plain TCP instead of TLS")
	f.BoolVar(&f.tls12, "tls12", false, "TLS 1.2 instead of 1.3")
	f.StringSliceVar(&f.curves, "curves", nil, "groups to offer, of "+strings.Join(slices.Sorted(maps.Keys(curves)), ", ")+
		"; the comparison's clients offer x25519,p256 (default: what Go offers)")
	f.BoolVar(&f.json, "json", false, "print the result as JSON")
	f.IntVar(&f.connections, "connections", 1, "persistent connections")
	f.IntVar(&f.window, "window", 1, "closed loop: units under way on each connection")
	f.Float64Var(&f.rate, "rate", 0, "units a second, 0 for a closed loop")
	f.DurationVar(&f.duration, "duration", 10*time.Second, "how long units begin")
	f.DurationVar(&f.timeout, "timeout", 4*time.Second, "a unit without an end by then is lost")
	return f
}

func (f *flags) parse(args []string) error {
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%w: unexpected %q", errUsage, f.Arg(0))
	}
	for _, name := range f.curves {
		id, ok := curves[strings.ToLower(name)]
		if !ok {
			return fmt.Errorf("%w: --curves %q; there are %s", errUsage, name, strings.Join(slices.Sorted(maps.Keys(curves)), ", "))
		}
		f.offered = append(f.offered, id)
	}
	return nil
}

// curves are the groups of key exchange that crypto/tls knows.
var curves = map[string]tls.CurveID{
	"x25519mlkem768": tls.X25519MLKEM768, "x25519": tls.X25519, "p256": tls.CurveP256, "p384": tls.CurveP384, "p521": tls.CurveP521,
}

// peer trusts any certificate: it is the other end's load that is measured, not its name.
func (f *flags) peer() load.Peer {
	p := load.Peer{Addr: f.to}
	if !f.plain {
		p.TLS = &tls.Config{InsecureSkipVerify: true, CurvePreferences: f.offered}
		if f.tls12 {
			p.TLS.MaxVersion = tls.VersionTLS12
		}
	}
	return p
}

func (f *flags) uri() string {
	switch {
	case f.callee != "":
		return f.callee
	case f.plain:
		return "sip:" + f.to + ";transport=tcp"
	}
	return "sip:" + f.to + ";transport=tls"
}

func (f *flags) print(out io.Writer, v any) error {
	if f.json {
		return json.NewEncoder(out).Encode(v)
	}
	_, err := fmt.Fprint(out, v)
	return err
}

func runOptions(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("options", out)
	method := f.String("method", "OPTIONS", "method of the requests")
	if err := f.parse(args); err != nil {
		return false, err
	}
	r, err := load.Options{
		Peer: f.peer(), URI: f.uri(), Method: *method, Connections: f.connections, Window: f.window,
		Rate: f.rate, Duration: f.duration, Timeout: f.timeout,
	}.Run(ctx)
	if err != nil {
		return false, err
	}
	return r.Clean(), f.print(out, r)
}

func runCalls(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("calls", out)
	hold := f.Duration("hold", 0, "time between ACK and BYE")
	if err := f.parse(args); err != nil {
		return false, err
	}
	r, err := load.Calls{
		Peer: f.peer(), URI: f.uri(), Connections: f.connections, Window: f.window, Rate: f.rate,
		Hold: *hold, Duration: f.duration, Timeout: f.timeout,
	}.Run(ctx)
	if err != nil {
		return false, err
	}
	return r.Clean(), f.print(out, r)
}

func runRegisters(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("registers", out)
	domain := f.String("domain", system.Domain, "domain and realm of the users")
	password := f.String("password", system.Password, "password of each")
	users := f.Int("users", 10_000, "how many there are")
	if err := f.parse(args); err != nil {
		return false, err
	}
	r, err := load.Registrations{
		Peer: f.peer(), Domain: *domain, Password: *password, Users: *users, Connections: f.connections, Window: f.window,
		Rate: f.rate, Duration: f.duration, Timeout: f.timeout,
	}.Run(ctx)
	if err != nil {
		return false, err
	}
	return r.Clean(), f.print(out, r)
}

func runHandshakes(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("handshakes", out)
	resumed := f.Bool("resumed", false, "resume sessions")
	if err := f.parse(args); err != nil {
		return false, err
	}
	r, err := load.Handshakes{
		Peer: f.peer(), URI: f.uri(), Resumed: *resumed, Workers: max(f.window, f.connections),
		Rate: f.rate, Duration: f.duration, Timeout: f.timeout,
	}.Run(ctx)
	if err != nil {
		return false, err
	}
	return r.Clean(), f.print(out, r)
}

func runIdle(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("idle", out)
	if err := f.parse(args); err != nil {
		return false, err
	}
	began := time.Now()
	idle, err := load.OpenIdle(ctx, f.peer(), f.uri(), f.connections, 16)
	if err != nil {
		return false, err
	}
	defer idle.Close()
	fmt.Fprintf(out, "%d connections in %.1f s\n", idle.Alive(), time.Since(began).Seconds())
	select {
	case <-time.After(f.duration):
	case <-ctx.Done():
	}
	alive := idle.Alive()
	fmt.Fprintf(out, "%d stand\n", alive)
	return alive == f.connections, nil
}

func runServer(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := newFlags("uas", out)
	listen := f.String("listen", "127.0.0.1:5071", "address to listen on")
	cert := f.String("cert", "ecdsa", "kind of the throw-away certificate: ecdsa or rsa")
	if err := f.parse(args); err != nil {
		return false, err
	}
	var cfg *tls.Config
	if !f.plain {
		var err error
		if cfg, err = throwAway(*cert); err != nil {
			return false, err
		}
	}
	s, err := load.Listen(*listen, cfg)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "ready: %s\n", s.URI())
	<-ctx.Done()
	s.Close()
	st := s.Stats()
	if err := json.NewEncoder(out).Encode(st); err != nil {
		return false, err
	}
	return len(st.Wrong) == 0 && st.Repeated == 0 && st.Resent == 0, nil
}

// throwAway is a server with a certificate that nobody knows.
func throwAway(kind string) (*tls.Config, error) {
	ca, err := load.NewAuthority()
	if err != nil {
		return nil, err
	}
	return ca.ServerConfig(kind, "127.0.0.1", "localhost")
}

func runShim(ctx context.Context, args []string, out io.Writer) (bool, error) {
	f := pflag.NewFlagSet("bench shim", pflag.ContinueOnError)
	f.SetOutput(out)
	listen := f.String("listen", "127.0.0.1:5060", "address to listen on")
	to := f.String("to", "127.0.0.1:5061", "address to relay to")
	unwrap := f.Bool("unwrap", false, "listen with TLS and relay plain, instead of the other way round")
	if err := f.Parse(args); err != nil {
		return false, err
	}
	var s *load.Shim
	var err error
	if *unwrap {
		var cfg *tls.Config
		if cfg, err = throwAway("ecdsa"); err == nil {
			s, err = load.Unwrap(*listen, *to, cfg)
		}
	} else {
		s, err = load.Wrap(*listen, *to, &tls.Config{InsecureSkipVerify: true})
	}
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "ready: %s to %s\n", s.Addr(), *to)
	<-ctx.Done()
	s.Close()
	return true, nil
}
