package blacklist

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor"
)

// Rule is what a list keeps requests from.
type Rule struct {
	// Not turns the rule around: it keeps requests from everything else.
	Not bool
	// Proto is the transport, 0 any; Net the addresses; Port the port, 0 any.
	Proto reactor.Proto
	Net   netip.Prefix
	Port  uint16
	// Pattern is what the message has to be, as a shell names files (* ? [a-z]);
	// "" any.
	Pattern string
}

// matches reports whether a request to an end point is what the rule keeps back. The
// text of the message is asked for where it counts.
func (r *Rule) matches(to reactor.EndPoint, text func() []byte) bool {
	fits := (r.Proto == 0 || r.Proto == to.Proto) && (r.Port == 0 || r.Port == to.Addr.Port()) &&
		r.Net.Contains(to.Addr.Addr().Unmap()) && (r.Pattern == "" || text != nil && glob(r.Pattern, text()))
	return fits != r.Not
}

// Exactly is the rule for one end point.
func Exactly(to reactor.EndPoint) Rule {
	addr := to.Addr.Addr().Unmap()
	return Rule{Proto: to.Proto, Net: netip.PrefixFrom(addr.WithZone(""), addr.BitLen()), Port: to.Addr.Port()}
}

// String gives the rule as ParseRule reads it.
func (r Rule) String() string {
	var b strings.Builder
	if r.Not {
		b.WriteByte('!')
	}
	proto := "any"
	if r.Proto != 0 {
		proto = r.Proto.String()
	}
	fmt.Fprintf(&b, "%s,%v,%d", proto, r.Net, r.Port)
	if r.Pattern != "" {
		b.WriteString("," + strconv.Quote(r.Pattern))
	}
	return b.String()
}

// errRule tells how a rule is written.
var errRule = errors.New(`is no rule: [!][(][proto,] address[/mask][, port[, "pattern"]][)]`)

// ParseRule reads a rule: [!][(][proto,] address[/mask][, port[, "pattern"]][)].
func ParseRule(s string) (r Rule, err error) {
	rest := strings.TrimSpace(s)
	if rest, r.Not = strings.CutPrefix(rest, "!"); r.Not {
		rest = strings.TrimSpace(rest)
	}
	if inner, ok := strings.CutPrefix(rest, "("); ok {
		if rest, ok = strings.CutSuffix(inner, ")"); !ok {
			return r, fmt.Errorf("%q %w", s, errRule)
		}
	}
	fields, ok := split(rest)
	if !ok || len(fields) == 0 {
		return r, fmt.Errorf("%q %w", s, errRule)
	}
	if proto, known := ParseProto(fields[0]); known {
		r.Proto, fields = proto, fields[1:]
	}
	if len(fields) == 0 || len(fields) > 3 {
		return r, fmt.Errorf("%q %w", s, errRule)
	}
	if r.Net, err = parseNet(fields[0]); err != nil {
		return r, err
	}
	if len(fields) > 1 {
		port, err := strconv.ParseUint(fields[1], 10, 16)
		if err != nil {
			return r, fmt.Errorf("%q is no port: 1 to 65535, or 0 for any", fields[1])
		}
		r.Port = uint16(port)
	}
	if len(fields) > 2 {
		r.Pattern = fields[2]
	}
	return r, nil
}

// ParseProto reads a transport; "any" is 0.
func ParseProto(s string) (reactor.Proto, bool) {
	if strings.EqualFold(s, "any") {
		return 0, true
	}
	return reactor.ParseProto(s)
}

// parseNet reads an address with an optional mask, which may be written as one.
func parseNet(s string) (netip.Prefix, error) {
	host, mask, masked := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(host), "[]"))
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, fmt.Errorf("%q is no IP address with an optional mask", s)
	}
	addr = addr.Unmap()
	bits := addr.BitLen()
	if masked {
		bits = maskBits(strings.TrimSpace(mask), addr.BitLen())
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return p, fmt.Errorf("%q is no mask of %v", mask, addr)
	}
	return p, nil
}

// maskBits gives the length of a mask; -1 if it is none.
func maskBits(s string, most int) int {
	if n, err := strconv.Atoi(s); err == nil {
		if n > most {
			return -1
		}
		return n
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.BitLen() != most {
		return -1
	}
	n, ended := 0, false
	for _, b := range a.AsSlice() {
		for i := 7; i >= 0; i-- {
			switch set := b>>i&1 == 1; {
			case set && ended:
				return -1
			case set:
				n++
			default:
				ended = true
			}
		}
	}
	return n
}

// split cuts at commas outside of quotes, and takes the quotes off.
func split(s string) (fields []string, ok bool) {
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		field := ""
		if strings.HasPrefix(s, `"`) {
			q, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, false
			}
			if field, err = strconv.Unquote(q); err != nil {
				return nil, false
			}
			if s = strings.TrimLeft(s[len(q):], " \t\r\n"); s != "" && s[0] != ',' {
				return nil, false
			}
		} else {
			end := strings.IndexByte(s, ',')
			if end < 0 {
				end = len(s)
			}
			field, s = strings.TrimSpace(s[:end]), s[end:]
			if field == "" {
				return nil, false
			}
		}
		fields = append(fields, field)
		if s == "" {
			return fields, true
		}
		s = s[1:]
	}
}
