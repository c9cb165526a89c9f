package script

import (
	"net/netip"
	"unsafe"
)

var privateNets = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// addressTransforms are those of class ip.
func addressTransforms() map[string]*transformSpec {
	return map[string]*transformSpec{
		"ip.isip":  plain(func(_ *Machine, b []byte) Value { _, ok := parseIP(b); return Int(int64(truth(ok))) }),
		"ip.isip4": plain(func(_ *Machine, b []byte) Value { a, ok := parseIP(b); return Int(int64(truth(ok && a.Is4()))) }),
		"ip.isip6": plain(func(_ *Machine, b []byte) Value { a, ok := parseIP(b); return Int(int64(truth(ok && a.Is6()))) }),
		"ip.isprivate": plain(func(_ *Machine, b []byte) Value {
			a, ok := parseIP(b)
			if !ok {
				return Int(0)
			}
			for _, p := range privateNets {
				if p.Contains(a) {
					return Int(1)
				}
			}
			return Int(0)
		}),
		"ip.family": plain(func(_ *Machine, b []byte) Value {
			switch len(b) {
			case 4:
				return Text(inetText)
			case 16:
				return Text(inet6Text)
			default:
				return null
			}
		}),
		"ip.pton": plain(func(m *Machine, b []byte) Value {
			a, ok := parseIP(b)
			switch {
			case !ok:
				return null
			case a.Is4():
				raw := a.As4()
				return Text(m.Keep(raw[:]))
			default:
				raw := a.As16()
				return Text(m.Keep(raw[:]))
			}
		}),
		"ip.ntop": plain(func(m *Machine, b []byte) Value {
			a, ok := netip.AddrFromSlice(b)
			if !ok {
				return null
			}
			return m.address(a)
		}),
		"ip.resolve": plain(func(m *Machine, b []byte) Value {
			if a, ok := parseIP(b); ok {
				return m.address(a)
			}
			if m.alone() {
				return null
			}
			a, err := m.c.Resolve(m.Keep(b))
			if err != nil {
				return null
			}
			return m.address(a)
		}),
		"ip.matches": {min: 1, max: 1, build: func(k *compiler, t *varTransform) transformer {
			if t.Args[0].Var == nil {
				net, ok := parseNet(t.Args[0].Text)
				if !ok {
					k.rep.errorf(t.Args[0].At, "%q is no network", clip(t.Args[0].Text))
					return nil
				}
				return func(m *Machine, in Value) Value {
					a, ok := parseIP(m.Text(in))
					return Int(int64(truth(ok && net.Contains(a))))
				}
			}
			arg := k.name(t.Args[0])
			if arg == nil {
				return nil
			}
			return func(m *Machine, in Value) Value {
				a, ok := parseIP(m.Text(in))
				net, valid := parseNet(string(arg(m)))
				return Int(int64(truth(ok && valid && net.Contains(a))))
			}
		}},
	}
}

// parseIP reads an address, IPv6 with or without brackets. It allocates
// nothing for an address: netip keeps nothing of the text but a zone, and an
// address with a zone is refused.
func parseIP(b []byte) (netip.Addr, bool) {
	if len(b) > 2 && b[0] == '[' && b[len(b)-1] == ']' {
		b = b[1 : len(b)-1]
	}
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}, false
	}
	for _, c := range b {
		if !isHex(c) && c != '.' && c != ':' {
			return netip.Addr{}, false
		}
	}
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return a.Unmap(), err == nil
}
