package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Role says what a system is in the comparison.
type Role string

// The roles.
const (
	Ours     Role = "ours"     // the engine
	SIPPeer  Role = "sip"      // a SIP server that carriers run
	Relay    Role = "relay"    // a TLS-to-TLS relay that parses no SIP
	Baseline Role = "baseline" // written in Go the plain way, or with a library
)

// ErrMissing tells that a system is not installed or can't be built here.
var ErrMissing = errors.New("not here")

// System is one that can be started.
type System struct {
	Name    string
	About   string
	Install string // what to do when it is missing, "" if it is built from this repository
	Role    Role
	Begins  time.Duration // roughly how long it takes to begin and to end
	Workers []int         // numbers of worker processes or threads worth a try; 0 is the system's own choice

	Variant bool // differs from the system above it only in the code that computes TLS

	TCP bool // it can do without TLS

	// Reload tells that SIGHUP has it read its certificates again, Traces that its configuration can trace by HEP.
	Reload, Traces bool

	// prepare finds or builds the program; it tells path and version.
	prepare func(ctx context.Context, h *Home) (path, version string, err error)
	// command writes the configuration into s.Dir and gives the arguments and the environment to add.
	command func(path string, s Setup) (args, env []string, err error)
}

// Setup is how a system is to be started.
type Setup struct {
	Dir     string // of certificates (see Home.Certificates) and the configuration that is written
	Addr    string // to listen on with TLS
	Workers int
	Key     string // kind of its certificate: "ecdsa" or "rsa"
	Plain   bool   // TCP instead of TLS, for systems that have it
	UDP     bool   // UDP instead of TLS, for systems that have TCP, too
	// For SIP proxies: Stateful relays by transactions, Dialog follows calls as well, Hidden hides the sides of a call
	// from each other, and Media is the address of an rtpengine that the media of calls passes; "" none. All of them
	// need Stateful.
	Stateful, Dialog, Hidden bool
	Media                    string
	// Registrar has users of Domain register with digest and be called, in memory alone: each has Password.
	Registrar bool

	// Callee is where a relay sends everything: a SIP element cares for the Request-URI only. CalleeTLS is whether by
	// TLS, WaitForData that it connects when bytes come rather than at once.
	Callee      string
	CalleeTLS   bool
	WaitForData bool

	// Metrics is an address for Prometheus metrics, HEP a collector to trace to; both may be "" and only our engine
	// heeds Metrics.
	Metrics, HEP string
}

// Domain and Password are those of the users of a registrar.
const (
	Domain   = "home.test"
	Password = "secret"
)

// All lists the systems, ours first.
func All() []System {
	return []System{sipreactorGo(), sipreactorWith("libcrypto", "libcrypto", "this engine, TLS by crypto/tls, private keys in libcrypto"),
		sipreactorWith("libssl", "openssl", "this engine, TLS by libssl"), kamailio(), opensips(), haproxy(), plainGo(), sipgo()}
}

// Loops lists our engine with more event loops than it chooses on two cores: what they cost. They are no part of All.
func Loops() []System {
	return []System{sipreactorOn("sipreactor-2-loops", "this engine with two event loops; only where it is named", 2),
		sipreactorOn("sipreactor-4-loops", "this engine with four; only where it is named", 4)}
}

// Find looks a system up by name, among All and Loops.
func Find(name string) (System, error) {
	var names []string
	for _, s := range append(All(), Loops()...) {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return System{}, fmt.Errorf("no system %q; there are %s", name, strings.Join(names, ", "))
}

// Prepared is a system whose program is at hand.
type Prepared struct {
	System
	Path, Version string
}

// Prepare finds or builds a system's program. The error is ErrMissing with what to do about it.
func (h *Home) Prepare(ctx context.Context, s System) (Prepared, error) {
	path, version, err := s.prepare(ctx, h)
	if err != nil {
		if s.Install != "" {
			return Prepared{}, fmt.Errorf("%w: %w (%s)", ErrMissing, err, s.Install)
		}
		return Prepared{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return Prepared{s, path, version}, nil
}

// Start runs the program. It is ready when Instance.Ready says so.
func (p Prepared) Start(s Setup) (*Instance, error) {
	args, env, err := p.command(p.Path, s)
	if err != nil {
		return nil, err
	}
	i, err := start(p.Path, args, env, s.Dir)
	if err != nil {
		return nil, err
	}
	i.Addr, i.Setup = s.Addr, s
	return i, nil
}

// write puts a configuration file into the set-up's directory.
func (s Setup) write(name string, text []byte) (path string, err error) {
	path = filepath.Join(s.Dir, name)
	return path, os.WriteFile(path, text, 0o600)
}
