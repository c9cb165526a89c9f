package script

import (
	"net/netip"
	"regexp"
	"strings"

	"sipreactor/sipframe"
)

// compileRegex compiles a POSIX extended regular expression as OpenSIPS uses
// them: without regard to case, and a dot takes line ends, too. Go's engine
// never backtracks, so no input makes it slow. It has no back references; and
// where two alternatives match at one place, it takes the first one and not the
// longest, which shows only in what a substitution replaces.
func compileRegex(re string) (*regexp.Regexp, error) {
	return regexp.Compile("(?is)" + posixToGo(re))
}

// compileLineRegex is compileRegex for arguments of functions, where a dot stops
// at a line end, and ^ and $ are the ends of lines.
func compileLineRegex(re string) (*regexp.Regexp, error) {
	return regexp.Compile("(?im)" + posixToGo(re))
}

// posixToGo writes what means something else in Go the way Go means it: a
// backslash in brackets is a character of the set in POSIX, and GNU's \< \> are
// the ends of a word.
func posixToGo(re string) string {
	if !strings.Contains(re, `\`) {
		return re
	}
	var b strings.Builder
	for i := 0; i < len(re); i++ {
		c := re[i]
		switch {
		case c == '\\' && i+1 < len(re):
			i++
			switch re[i] {
			case '<', '>':
				b.WriteString(`\b`)
			case '`':
				b.WriteString(`\A`)
			case '\'':
				b.WriteString(`\z`)
			default:
				b.WriteByte('\\')
				b.WriteByte(re[i])
			}
		case c == '[':
			end := setEnd(re, i)
			b.WriteString(strings.ReplaceAll(re[i:end], `\`, `\\`))
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// setEnd gives the offset behind the bracket expression that begins at i.
func setEnd(re string, i int) int {
	j := i + 1
	if j < len(re) && re[j] == '^' {
		j++
	}
	if j < len(re) && re[j] == ']' {
		j++
	}
	for ; j < len(re); j++ {
		if re[j] == '[' && j+1 < len(re) && strings.IndexByte(":.=", re[j+1]) >= 0 {
			if n := strings.Index(re[j+2:], re[j+1:j+2]+"]"); n >= 0 {
				j += n + 3
				continue
			}
		}
		if re[j] == ']' {
			return j + 1
		}
	}
	return len(re)
}

// regex compiles a constant expression or reports it.
func (k *compiler) regex(s *stringExpr, compile func(string) (*regexp.Regexp, error)) *regexp.Regexp {
	re, err := compile(s.Text)
	if err != nil {
		k.rep.errorf(s.At, "%q is no regular expression: %v", clip(s.Text), err)
		return nil
	}
	return re
}

// expression gives a regular expression that is an argument, constant or from a
// variable; the function gives nil for a variable that holds none.
func (a *Args) expression(i int) func(m *Machine) *regexp.Regexp {
	arg := a.list[i]
	if arg.re != nil {
		return func(*Machine) *regexp.Regexp { return arg.re }
	}
	return func(m *Machine) *regexp.Regexp {
		b, ok := arg.text(m)
		if !ok {
			return nil
		}
		if arg.dotAll {
			return m.regex(b, a.at)
		}
		return m.lineRegex(b, a.at)
	}
}

// match compiles =~ and !~ with a constant.
func (k *compiler) match(l expr, want bool, s *stringExpr) cond {
	re := k.regex(s, compileRegex)
	if re == nil {
		return never
	}
	return func(m *Machine) int {
		v := l(m)
		if v.kind == nullValue {
			return truth(!want)
		}
		return truth(re.Match(m.Text(v)) == want)
	}
}

// maxDynamic bounds the expressions that a machine keeps compiled.
const maxDynamic = 64

// matchDynamic is =~ and !~ with an expression that the message has to tell.
func matchDynamic(l, r expr, want bool, at *Site) cond {
	return func(m *Machine) int {
		v, p := l(m), r(m)
		if v.kind == nullValue || p.kind == nullValue {
			same := v.kind == p.kind
			return truth(same == want)
		}
		re := m.regex(m.Text(p), at)
		if re == nil {
			return -1
		}
		return truth(re.Match(m.Text(v)) == want)
	}
}

// regex gives a compiled expression; nil if it is none, which is logged. When
// too many are known, they are forgotten.
func (m *Machine) regex(b []byte, at *Site) *regexp.Regexp {
	return m.compiled(&m.dynamic, b, compileRegex, at)
}

// lineRegex is regex for arguments of functions.
func (m *Machine) lineRegex(b []byte, at *Site) *regexp.Regexp {
	return m.compiled(&m.lines, b, compileLineRegex, at)
}

func (m *Machine) compiled(known *map[string]*regexp.Regexp, b []byte, compile func(string) (*regexp.Regexp, error), at *Site) *regexp.Regexp {
	if re, ok := (*known)[string(b)]; ok {
		return re
	}
	if len(*known) >= maxDynamic || *known == nil {
		*known = make(map[string]*regexp.Regexp)
	}
	re, err := compile(string(b))
	if err != nil {
		at.say(m, LevelWarn, "script: no regular expression", "text", clip(string(b)), "error", err.Error())
		re = nil
	}
	(*known)[string(b)] = re
	return re
}

// compareNet compiles == and != with an address or a network.
func (k *compiler) compareNet(l expr, y *addrExpr, want bool, at *Site) cond {
	net, ok := parseNet(y.Text)
	if !ok {
		k.rep.errorf(y.At, "%s is no network", clip(y.Text))
		return never
	}
	return func(m *Machine) int {
		v := l(m)
		if v.kind == nullValue {
			return truth(!want)
		}
		a, ok := parseIP(m.Text(v))
		if !ok {
			at.say(m, LevelDebug, "script: a text that is no address is compared with a network")
			return -1
		}
		return truth(net.Contains(a) == want)
	}
}

// parseNet reads an address, address/bits or address/mask.
func parseNet(s string) (netip.Prefix, bool) {
	addr, bits, ok := strings.Cut(s, "/")
	a, err := netip.ParseAddr(strings.Trim(addr, "[]"))
	if err != nil {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	if !ok {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	n, valid := sipframe.ParseUint([]byte(bits), uint64(a.BitLen()))
	if !valid {
		mask, err := netip.ParseAddr(bits)
		if err != nil || mask.BitLen() != a.BitLen() {
			return netip.Prefix{}, false
		}
		b, ones := mask.AsSlice(), 0
		for ones < len(b)*8 && b[ones/8]&(0x80>>(ones%8)) != 0 {
			ones++
		}
		p := netip.PrefixFrom(mask, ones).Masked()
		if p.Addr() != mask {
			return netip.Prefix{}, false
		}
		n = uint64(ones)
	}
	return netip.PrefixFrom(a, int(n)).Masked(), true
}
