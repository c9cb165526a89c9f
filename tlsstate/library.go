package tlsstate

import (
	"net/netip"
	"runtime"
	"sync"
)

// Domains are TLS domains at one time, with the machines of one library: a Set
// of this package, or what another library makes of the same Config. They do
// not change; any goroutine may call any method.
type Domains interface {
	// NewServer makes the machine that answers a handshake at our address local.
	// It fails with an *Error when no server domain can match there.
	NewServer(local, remote netip.AddrPort) (Machine, error)
	// NewClient makes the machine that opens a handshake with a peer. It fails
	// with an *Error when no client domain matches.
	NewClient(q ClientQuery) (Machine, error)
	// ClientIdentity tells which client domain a query chooses, what that shows
	// and what it demands. It fails as NewClient does.
	ClientIdentity(q ClientQuery) (ClientIdentity, error)
	// Domains lists the domains, those of clients first.
	Domains() []DomainInfo
	// Warnings are what somebody should look at, a line each.
	Warnings() []string
}

var _ Domains = (*Set)(nil)

// Library is an implementation of TLS that this program has.
type Library struct {
	// Name is what tls_library calls it: "go", "openssl".
	Name string
	// Version is for people, such as "crypto/tls of go1.26".
	Version string
	// Build reads all that a configuration names and checks it, as Build of this
	// package does. Any goroutine.
	Build func(Config) (Domains, error)
}

// GoLibrary is the name of the library that every program has, crypto/tls.
const GoLibrary = "go"

var libraries = struct {
	sync.RWMutex
	list []Library
}{list: []Library{{GoLibrary, "crypto/tls of " + runtime.Version(), func(cfg Config) (Domains, error) {
	set, err := Build(cfg)
	if err != nil {
		return nil, err // no nil set in an interface that is not nil
	}
	return set, nil
}}}}

// RegisterLibrary adds a library: a package that has one calls it in its init,
// and a program has it by importing the package. It panics when the name is
// taken.
func RegisterLibrary(l Library) {
	libraries.Lock()
	defer libraries.Unlock()
	for i := range libraries.list {
		if libraries.list[i].Name == l.Name {
			panic("tlsstate: the library " + l.Name + " is registered twice")
		}
	}
	libraries.list = append(libraries.list, l)
}

// LookupLibrary gives the library of a name; false when this program was built
// without it. Any goroutine.
func LookupLibrary(name string) (Library, bool) {
	libraries.RLock()
	defer libraries.RUnlock()
	for _, l := range libraries.list {
		if l.Name == name {
			return l, true
		}
	}
	return Library{}, false
}

// Libraries lists those that this program has, GoLibrary first. Any goroutine.
func Libraries() []Library {
	libraries.RLock()
	defer libraries.RUnlock()
	return append([]Library(nil), libraries.list...)
}
