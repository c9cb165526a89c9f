package nathelper

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// test is a set of tests of nat_uac_test().
type test uint8

const (
	privateContact test = 1 << iota
	addrVia
	privateVia
	privateSDP
	portVia
	addrContact
	portContact
	carrierGrade
)

var testNames = []string{"private-contact", "diff-ip-src-via", "private-via", "private-sdp", "diff-port-src-via",
	"diff-ip-src-contact", "diff-port-src-contact", "carrier-grade-nat"}

// parseTests reads the argument of nat_uac_test(): names, or the number of older versions.
func parseTests(text string) (t test, err error) {
	if n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 8); err == nil {
		return test(n), nil
	}
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		found := false
		for i, name := range testNames {
			if name == w {
				t, found = t|1<<i, true
			}
		}
		if !found {
			return 0, fmt.Errorf("unknown test %q: %s", w, strings.Join(testNames, ", "))
		}
	}
	return t, nil
}

// private are the networks that are nobody's own (RFC 1918), carrier those of a carrier's NAT (RFC 6598, RFC 6333).
var (
	private = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7")
	carrier = prefixes("192.0.0.0/29")
)

func prefixes(list ...string) (all []netip.Prefix) {
	for _, p := range list {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// hidden reports whether a host is an address behind NAT.
func (t test) hidden(host []byte) bool {
	a, ok := addressOf(host)
	if !ok {
		return false
	}
	for _, p := range private {
		if p.Contains(a) {
			return true
		}
	}
	if t&carrierGrade != 0 {
		for _, p := range carrier {
			if p.Contains(a) {
				return true
			}
		}
	}
	return false
}

func addressOf(host []byte) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(string(host), "[]"))
	return a.Unmap(), err == nil
}

// passes reports whether one of the tests says that the sender is behind NAT.
func (t test) passes(x *script.Machine) bool {
	return t.contact(x) || t.via(x) || t&privateSDP != 0 && t.sdp(x.Message())
}

func (t test) contact(x *script.Machine) bool {
	if t&(privateContact|addrContact|portContact) == 0 {
		return false
	}
	msg := x.Message()
	a, err := msg.Contact()
	if err != nil || a.Star {
		return false
	}
	uri := msg.Bytes(a.URI)
	var u sipframe.URI
	if sipframe.ParseURI(uri, &u) != nil {
		return false
	}
	from := x.Context().Src.Remote
	host := u.Host.In(uri)
	if t&privateContact != 0 && t.hidden(host) {
		return true
	}
	if t&addrContact != 0 {
		if c, ok := addressOf(host); !ok || c != from.Addr().Unmap() {
			return true
		}
	}
	return t&portContact != 0 && portOf(u.Port, x) != int(from.Port())
}

// portOf returns a port; 0 is the default of the message's transport.
func portOf(port int, x *script.Machine) int {
	if port != 0 {
		return port
	}
	return int(x.Context().Src.Proto.DefaultPort())
}

func (t test) via(x *script.Machine) bool {
	if t&(addrVia|privateVia|portVia) == 0 {
		return false
	}
	msg := x.Message()
	via, err := msg.TopVia()
	if err != nil {
		return false
	}
	from := x.Context().Src.Remote
	host := msg.Bytes(via.Host)
	if t&privateVia != 0 && t.hidden(host) {
		return true
	}
	if t&addrVia != 0 {
		if a, ok := addressOf(host); !ok || a != from.Addr().Unmap() {
			return true
		}
	}
	return t&portVia != 0 && portOf(via.Port, x) != int(from.Port())
}

func (t test) sdp(msg *sipframe.Message) bool {
	found := false
	eachLine(msg, func(line sipframe.Span) bool {
		if addr, ok := addressSpan(msg, line, 'c'); ok {
			found = found || t.hidden(msg.Bytes(addr))
		}
		return !found
	})
	return found
}
