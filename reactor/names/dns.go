package names

import (
	"cmp"
	"time"

	"sipreactor/reactor"
)

// Config is how a DNS asks. The zero value is the system's way.
type Config struct {
	// NoNAPTR leaves NAPTR records out: the look-up begins with SRV.
	NoNAPTR bool
	// TryIPv6 has AAAA records asked for besides A, and their addresses tried after
	// the IPv4 ones. Where no listener of ours could send to IPv4 they are asked for
	// anyway.
	TryIPv6 bool
	// Try is how long a server may take to answer; 0 is what resolv.conf says. If
	// the tries with all servers would take longer than Timeout, it is shortened to
	// what fits.
	Try time.Duration
	// Tries is how often each server is asked; 0 is what resolv.conf says.
	Tries int
	// Servers is how many of resolv.conf's servers are asked; 0 is all.
	Servers int
	// NoSearch leaves the search list out.
	NoSearch bool
	// Timeout is for a whole look-up; 0 is DefaultTimeout or, if Try is set, what the
	// tries with one server take, half a minute at most.
	Timeout time.Duration
	// MinTTL and MaxTTL bound how long answers are kept; 0 is a second, and an hour.
	MinTTL, MaxTTL time.Duration
	// Port gives the port of a transport for destinations that name none; nil is
	// reactor.Proto.DefaultPort.
	Port func(reactor.Proto) uint16
	// ResolvConf and Hosts are the system's files; "" is /etc/resolv.conf and
	// /etc/hosts.
	ResolvConf, Hosts string
	// Complain, if it is not nil, is told what is wrong with these files when they are read, by New or whenever they have
	// changed, and something else is wrong than the last time. Any goroutine calls it, one at a time.
	Complain func(error)
}

// DefaultTimeout is how long a look-up may take, and whoever waits for it.
const DefaultTimeout = 3 * time.Second

const (
	longestTimeout = 30 * time.Second
	failedFor      = 2 * time.Second // that nobody knows
	maxAbsent      = time.Minute     // that a name is not there, whatever its zone says
	forever        = 1<<31*time.Second - time.Second
)

// DNS is a Resolver that asks the system's name servers. Any goroutine.
type DNS struct {
	cfg   Config
	files files
	sick  sick
	slots chan struct{} // questions under way
}

// New makes a DNS. It reads the system's files.
func New(cfg Config) *DNS {
	if cfg.Timeout == 0 {
		cfg.Timeout = min(max(cfg.Try*time.Duration(cmp.Or(cfg.Tries, 2)), DefaultTimeout), longestTimeout)
	}
	cfg.MinTTL, cfg.MaxTTL = cmp.Or(cfg.MinTTL, time.Second), cmp.Or(cfg.MaxTTL, time.Hour)
	d := &DNS{cfg: cfg, slots: make(chan struct{}, maxAsking)}
	d.files.resolvConf, d.files.hosts = cmp.Or(cfg.ResolvConf, "/etc/resolv.conf"), cmp.Or(cfg.Hosts, "/etc/hosts")
	d.files.complain = cfg.Complain
	d.files.current()
	return d
}

// Timeout tells how long a look-up may take.
func (d *DNS) Timeout() time.Duration { return d.cfg.Timeout }

// port gives the default port of a transport.
func (d *DNS) port(p reactor.Proto) uint16 {
	if d.cfg.Port != nil {
		return d.cfg.Port(p)
	}
	return p.DefaultPort()
}

// tries is how often each server is asked.
func (d *DNS) tries() int { return cmp.Or(d.cfg.Tries, d.files.current().tries) }

// patience is how long a server may take.
func (d *DNS) patience() time.Duration {
	sys := d.files.current()
	servers := len(sys.servers)
	if d.cfg.Servers > 0 {
		servers = min(servers, d.cfg.Servers)
	}
	return min(cmp.Or(d.cfg.Try, sys.try), d.cfg.Timeout/time.Duration(max(d.tries()*servers, 1)))
}
