package script

import (
	"errors"
	"strings"

	"sipreactor/reactor/blacklist"
)

// blacklist reads what stands behind dst_blacklist= as it is written: up to the end
// of the line, or the } behind its rules.
func (p *parser) blacklist(at token) Literal {
	l := p.lex
	l.skipBlank()
	f := l.top()
	b := f.src.text
	begin := f.off
	depth, quoted := 0, false
loop:
	for ; f.off < len(b); f.off++ {
		switch c := b[f.off]; {
		case quoted && c == '\\':
			f.off++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				f.off++
				break loop
			}
		case depth == 0 && (c == '\n' || c == '#' || c == ';'):
			break loop
		}
	}
	f.off = min(f.off, len(b))
	v := Literal{At: at.pos, Quoted: true, Text: strings.TrimSpace(string(b[begin:f.off]))}
	if v.Text != "" {
		v.At = l.pos(begin)
	}
	return v
}

// addBlacklist takes a dst_blacklist.
func (c *settings) addBlacklist(v Literal) string {
	list, err := blacklist.Parse(v.Text, "core")
	var wrong *blacklist.SyntaxError
	if errors.As(err, &wrong) {
		at := v.At
		at.off += wrong.At
		c.rep.errorf(at, "dst_blacklist: %v", wrong)
		return ""
	}
	return c.withBlacklist(list)
}

// withBlacklist adds a list to those that the proxy has.
func (c *settings) withBlacklist(list *blacklist.List) string {
	if c.Proxy.Blacklists == nil {
		c.Proxy.Blacklists = new(blacklist.Set)
	}
	if err := c.Proxy.Blacklists.Add(list); err != nil {
		return "is not possible: " + err.Error()
	}
	return ""
}

// deadTargets is disable_dns_blacklist: turned off, targets of names that failed are
// left alone for a while, in a list of its own.
func (c *settings) deadTargets(off bool) string {
	if off || c.Proxy.DeadTargets != nil {
		return ""
	}
	list, err := blacklist.NewList("dns", "core", blacklist.Expire|blacklist.Default, nil)
	if err != nil {
		return err.Error()
	}
	c.Proxy.DeadTargets = list
	return c.withBlacklist(list)
}
