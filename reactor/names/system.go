package names

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	complain          func(error)

	mu      sync.Mutex
	sys     *system
	checked time.Time
	seen    [2]fileState
	wrong   string // with the files, as it was told
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
		var wrong error
		f.sys, wrong = readSystem(f.resolvConf, f.hosts)
		f.seen = seen
		f.tell(wrong)
	}
	return f.sys
}

// tell complains of what is wrong with the files, unless that was told. The lock is held.
func (f *files) tell(wrong error) {
	text := ""
	if wrong != nil {
		text = wrong.Error()
	}
	if text != f.wrong && text != "" && f.complain != nil {
		f.complain(wrong)
	}
	f.wrong = text
}

// readSystem reads the files. What is wrong with them is an error beside what they say.
func readSystem(resolvConf, hosts string) (s *system, wrong error) {
	s = &system{conf: &dns.ClientConfig{Ndots: 1, Timeout: 5, Attempts: 2}}
	err := read(resolvConf, func(text []byte) error {
		conf, err := dns.ClientConfigFromReader(bytes.NewReader(text))
		if err == nil {
			s.conf = conf
		}
		return err
	})
	all := []error{err}
	for _, name := range s.conf.Servers {
		if a, err := netip.ParseAddr(name); err == nil {
			s.servers = append(s.servers, netip.AddrPortFrom(a, 53))
		} else if ap, err := netip.ParseAddrPort(name); err == nil {
			s.servers = append(s.servers, ap) // not in resolv.conf(5), but in use
		} else {
			all = append(all, fmt.Errorf("%s: nameserver %q is no address", resolvConf, name))
		}
	}
	if len(s.servers) == 0 {
		s.servers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53"), netip.MustParseAddrPort("[::1]:53")}
		all = append(all, fmt.Errorf("%s has no name server: %v and %v are asked", resolvConf, s.servers[0], s.servers[1]))
	}
	s.try, s.tries = time.Duration(s.conf.Timeout)*time.Second, s.conf.Attempts
	s.hosts, _ = parseHosts("")
	err = read(hosts, func(text []byte) (err error) {
		s.hosts, err = parseHosts(string(text))
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) { // localhost is known without it
		all = append(all, err)
	}
	return s, errors.Join(all...)
}

// read calls f with the beginning of a file.
func read(path string, f func([]byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		text = text[:maxFile]
		err = fmt.Errorf("%s: more than %d bytes, and is read so far", path, maxFile)
	}
	if err2 := f(text); err2 != nil {
		err = errors.Join(err, fmt.Errorf("%s: %w", path, err2))
	}
	return err
}

// parseHosts reads hosts(5): names in lower case, each with its addresses, IPv4
// first. localhost is loopback whatever the file says (RFC 6761 6.3).
func parseHosts(text string) (hosts map[string][]netip.Addr, wrong error) {
	hosts = make(map[string][]netip.Addr)
	for line := range strings.Lines(text) {
		if len(hosts) >= maxHostsName {
			wrong = fmt.Errorf("more than %d names, and is read so far", maxHostsName)
			break
		}
		line, _, _ = strings.Cut(line, "#")
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
	return hosts, wrong
}

// candidates gives the full names to try for a name, by resolv.conf's search list.
func (s *system) candidates(name string, noSearch bool) []string {
	if noSearch || strings.HasSuffix(name, ".") {
		return []string{dns.Fqdn(name)}
	}
	return s.conf.NameList(name)
}
