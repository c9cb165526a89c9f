package names

import (
	"bufio"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// system is what the system's files say. It does not change.
type system struct {
	servers []netip.AddrPort
	tries   int
	try     time.Duration
	conf    *dns.ClientConfig
	hosts   map[string][]netip.Addr
}

const (
	recheck      = 5 * time.Second // how often the files are looked at
	maxFile      = 1 << 20         // bytes of a file that are read
	maxHostsName = 1 << 14         // names of /etc/hosts
)

// files keeps up with the system's files. Any goroutine.
type files struct {
	resolvConf, hosts string

	mu      sync.Mutex
	sys     *system
	checked time.Time
	seen    [2]fileState
}

// fileState tells versions of a file apart; the zero value is one that is not
// there.
type fileState struct {
	size int64
	at   time.Time
}

func stateOf(path string) (s fileState) {
	if i, err := os.Stat(path); err == nil {
		s = fileState{i.Size(), i.ModTime()}
	}
	return s
}

// current gives what the files say, reading them if they have changed.
func (f *files) current() *system {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.sys != nil && now.Sub(f.checked) < recheck {
		return f.sys
	}
	f.checked = now
	if seen := [2]fileState{stateOf(f.resolvConf), stateOf(f.hosts)}; f.sys == nil || seen != f.seen {
		f.seen, f.sys = seen, readSystem(f.resolvConf, f.hosts)
	}
	return f.sys
}

func readSystem(resolvConf, hosts string) *system {
	s := &system{}
	_ = read(resolvConf, func(r io.Reader) (err error) {
		s.conf, err = dns.ClientConfigFromReader(r)
		return err
	})
	if s.conf == nil {
		s.conf = &dns.ClientConfig{Ndots: 1, Timeout: 5, Attempts: 2}
	}
	for _, name := range s.conf.Servers {
		if a, err := netip.ParseAddr(name); err == nil {
			s.servers = append(s.servers, netip.AddrPortFrom(a, 53))
		} else if ap, err := netip.ParseAddrPort(name); err == nil {
			s.servers = append(s.servers, ap) // not in resolv.conf(5), but in use
		}
	}
	if len(s.servers) == 0 {
		s.servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:53")}
	}
	s.try, s.tries = time.Duration(s.conf.Timeout)*time.Second, s.conf.Attempts
	s.hosts = parseHosts(strings.NewReader(""))
	_ = read(hosts, func(r io.Reader) error {
		s.hosts = parseHosts(r)
		return nil
	})
	return s
}

// read calls f with the beginning of a file.
func read(path string, f func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(io.LimitReader(file, maxFile))
}

// parseHosts reads hosts(5): names in lower case, each with its addresses, IPv4
// first. localhost is loopback whatever the file says (RFC 6761 6.3).
func parseHosts(r io.Reader) map[string][]netip.Addr {
	hosts := make(map[string][]netip.Addr)
	for lines := bufio.NewScanner(r); lines.Scan() && len(hosts) < maxHostsName; {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		a, err := netip.ParseAddr(fields[0])
		if err != nil || a.Zone() != "" {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			if list := hosts[name]; !slices.Contains(list, a.Unmap()) {
				hosts[name] = append(list, a.Unmap())
			}
		}
	}
	for _, list := range hosts {
		slices.SortStableFunc(list, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	}
	if hosts["localhost"] == nil {
		hosts["localhost"] = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return hosts
}

// candidates gives the full names to try for a name, by resolv.conf's search list.
func (s *system) candidates(name string, noSearch bool) []string {
	if noSearch || strings.HasSuffix(name, ".") {
		return []string{dns.Fqdn(name)}
	}
	return s.conf.NameList(name)
}
