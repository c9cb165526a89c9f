package script

import (
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor"
)

// socketItem is socket=proto:host[:port] with its options.
type socketItem struct {
	node
	Decl      SocketDecl
	NotOpened string // hep_udp, hep_tcp or bin, for which nothing listens; "" any other
}

// SocketDecl is a listener that the configuration asks for. The host is kept
// as it is written: who opens the sockets finds out what a name or an interface
// stands for.
type SocketDecl struct {
	Pos   Pos
	Proto reactor.Proto
	// Host is an IP address (IPv6 without brackets), a host name, the name of a
	// network interface, or "*" for every address of the machine.
	Host string
	// Port is 1 to 65535; 0 takes the protocol's default (tls_port for TLS).
	Port uint16
	// AdvertisedHost and AdvertisedPort are named in Via and Record-Route
	// instead; "" and 0: the socket's own.
	AdvertisedHost string
	AdvertisedPort uint16
	// Tag is the name by which a script picks the socket; "" none.
	Tag string
}

const socketUsage = "proto:host[:port] [as host[:port]] [use_workers n] [tag name] [reuse_port]"

var socketOptions = []string{"as", "use_workers", "tag", "reuse_port"}

// laterProtocols tell why a protocol of OpenSIPS is not to be had.
var laterProtocols = map[string]string{
	"sctp": "",
	"bond": " in this version: a bond of sockets; the socket is that of the next hop's protocol and address family anyway",
}

// unsupportedOptions are options of a socket that OpenSIPS knows, and why they
// cannot be had.
var unsupportedOptions = map[string]string{
	"proxy_protocol":       noProxying,
	"allow_proxy_protocol": noProxying,
	"send_proxy_protocol":  noProxying,
	"accept_subdomain":     "name the subdomains one by one: alias=",
	"anycast":              "anycast needs the transactions of other nodes, and this proxy keeps none",
}

// hostWord reads a word of a socket: what stands up to the next white space.
// Spaces around its colons are skipped as there.
// It is on the line of at, or there is none.
func (p *parser) hostWord(at token) token {
	l := p.lex
	back := *l.top()
	l.skipBlank()
	f := l.top()
	b := f.src.text
	if l.pos(f.off).Line() != at.pos.Line() {
		*f = back
		return token{kind: tokEOF, pos: at.pos}
	}
	t := token{kind: tokIdent, pos: l.pos(f.off), at: f.off}
	if f.off < len(b) && (b[f.off] == '"' || b[f.off] == '\'') {
		t.kind = tokString
		t.text, t.raw = l.quoted(b[f.off])
		return t
	}
	var word []byte
	for f.off < len(b) {
		c := b[f.off]
		if isBlank(c) {
			i := f.off
			for i < len(b) && isBlank(b[i]) {
				i++
			}
			if i == len(b) || b[i] != ':' && (len(word) == 0 || word[len(word)-1] != ':') || b[i] == '\n' || b[i] == '#' {
				break
			}
			f.off = i
			continue
		}
		if c == '\n' || c == '#' || c == ';' || c == '{' || c == '}' || c == '(' || c == ')' || c == ',' || c == '=' {
			break
		}
		if c == '"' || c == '\'' {
			s, _ := l.quoted(c)
			word = append(word, s...)
			continue
		}
		word = append(word, c)
		f.off++
	}
	t.text, t.end = string(word), f.off
	if len(word) == 0 {
		t.kind = tokEOF
	}
	return t
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

// socket reads what stands behind socket=.
func (p *parser) socket(at token) item {
	w := p.hostWord(at)
	s := &socketItem{node: node{at.pos}}
	d := &s.Decl
	d.Pos = w.pos
	proto, rest, ok := strings.Cut(w.text, ":")
	if w.text == "" || !ok {
		p.rep.errorf(w.pos, "found %q, expected a socket: %s", clip(w.text), socketUsage)
		p.resync()
		return nil
	}
	switch lower := strings.ToLower(proto); {
	case lower == "hep_udp" || lower == "hep_tcp" || lower == "bin":
		s.NotOpened = lower
	default:
		d.Proto, ok = reactor.ParseProto(proto)
	}
	if !ok {
		why := laterProtocols[strings.ToLower(proto)]
		p.rep.errorf(w.pos, "protocol %s is not supported%s, expected tls, tcp, udp, ws or wss: %s", clip(proto), why, socketUsage)
		p.resync()
		return nil
	}
	host, port, msg := splitHost(bracketed(rest))
	if msg != "" {
		p.rep.errorf(w.pos, "socket %s: %s; expected %s", clip(w.text), msg, socketUsage)
		p.resync()
		return nil
	}
	d.Host, d.Port = host, port
	for {
		t := p.peek()
		if t.kind != tokIdent {
			return s
		}
		known, ok := p.socketOption(d, t)
		if !ok {
			p.resync()
			return s
		}
		if !known {
			return s
		}
	}
}

// socketOption reads one option. known is false if the word is none, and then
// it is left for others.
func (p *parser) socketOption(d *SocketDecl, t token) (known, ok bool) {
	if p.startsItem(t) { // tos is a global, too
		return false, true
	}
	name := strings.ToLower(t.text)
	if why := unsupportedOptions[name]; why != "" {
		p.rep.errorf(t.pos, "socket option %s: %s", t.text, why)
		p.next()
		return true, true
	}
	switch name {
	case "as":
		p.next()
		w := p.hostWord(t)
		host, port, msg := splitHost(w.text)
		if msg == "" && host == "*" {
			msg = "* is no address to advertise"
		}
		if msg != "" {
			p.rep.errorf(w.pos, "advertised address %q: %s", clip(w.text), msg)
			return true, false
		}
		d.AdvertisedHost, d.AdvertisedPort = host, port
	case "use_workers":
		p.next()
		n, found := p.expect(tokNumber, ", the workers of the socket")
		if !found {
			return true, false
		}
		p.rep.notef(n.pos, "use_workers: messages of every socket are spread over the same workers by Call-ID, so a socket has none of its own")
	case "use_auto_scaling_profile":
		p.next()
		n, found := p.expect(tokIdent, ", a profile")
		if !found {
			return true, false
		}
		p.rep.notef(n.pos, "use_auto_scaling_profile: workers are goroutines that cost nothing when idle, so there is nothing to scale")
	case "tag":
		p.next()
		n, found := p.expect(tokIdent, ", the name of the socket")
		if !found {
			return true, false
		}
		d.Tag = n.text
	case "reuse_port":
		p.next()
		p.rep.notef(t.pos, "reuse_port: connections that we open leave from a port that the system chooses")
	case "frag":
		p.next()
		p.rep.notef(t.pos, "frag: the kernel fragments UDP datagrams as the path asks for")
	case "tos":
		p.next()
		if v, found := p.constant(); found {
			p.rep.notef(v.At, "tos: the type of service of packets is left to the system")
		}
	default:
		if t.pos.Line() != d.Pos.Line() {
			return false, true
		}
		p.rep.errorf(t.pos, "unknown socket option %s%s, expected %s", clip(t.text), hint(t.text, socketOptions), socketUsage)
		p.next()
		return true, false
	}
	return true, true
}

// splitHost parts host[:port]. msg tells what is wrong.
func splitHost(s string) (host string, port uint16, msg string) {
	portText := ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, "[ has no closing bracket"
		}
		host = s[1:end]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return "", 0, "what is in [] is no IPv6 address"
		}
		if s = s[end+1:]; s != "" && s[0] != ':' {
			return "", 0, "a port behind ] needs a colon"
		}
		portText = strings.TrimPrefix(s, ":")
		if s == "" {
			return host, 0, ""
		}
	} else {
		if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
			return "", 0, "an IPv6 address goes in []"
		}
		var more bool
		if host, portText, more = strings.Cut(s, ":"); !more {
			portText = "any"
		}
	}
	if !validHost(host) {
		return "", 0, "no host name, address or interface"
	}
	if portText == "any" {
		return host, 0, ""
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || n == 0 {
		return "", 0, "the port is a number from 1 to 65535"
	}
	return host, uint16(n), ""
}

// bracketed puts an IPv6 address of eight groups into brackets, with a port behind it or none: OpenSIPS takes that
// without, too. With "::" in it nothing tells where the port begins.
func bracketed(s string) string {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); strings.Count(s, ":") == 8 {
		host, port = s[:i], s[i:]
	}
	if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || strings.Count(host, ":") != 7 || strings.Contains(host, "::") {
		return s
	}
	return "[" + host + "]" + port
}

func validHost(s string) bool {
	if s == "*" {
		return true
	}
	for i := range len(s) {
		c := s[i]
		if !isWordByte(c) && c != '.' && c != '-' && c != ':' {
			return false
		}
	}
	return s != "" && len(s) <= 253
}

// hosts reads what stands behind alias=: one or more names on a line.
func (p *parser) hosts(at token) item {
	g := &globalItem{node: node{at.pos}, Name: "alias"}
	line := at.pos.Line()
	for {
		w := p.hostWord(at)
		if w.text == "" {
			p.rep.errorf(at.pos, "alias= needs a host: [proto:]host[:port]")
			return nil
		}
		v := Literal{At: w.pos, Text: w.text, Quoted: w.kind == tokString}
		if g.Value.Text == "" {
			g.Value = v
		} else {
			g.Extra = append(g.Extra, v)
		}
		t := p.peek()
		if t.kind != tokIdent && t.kind != tokString && t.kind != tokAddr || t.pos.src != at.pos.src || t.pos.Line() != line || p.startsItem(t) {
			return g
		}
		// The word is read again by the rules for hosts.
		p.lex.top().off = t.at
		p.ahead = p.ahead[:0]
	}
}

// host reads a global's value that is a host.
func (p *parser) host(at token) Literal {
	w := p.hostWord(at)
	return Literal{At: w.pos, Text: w.text, Quoted: w.kind == tokString}
}
