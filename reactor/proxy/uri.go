package proxy

import (
	"bytes"
	"errors"
	"strconv"

	"sipreactor/sipframe"
)

// ErrURI: a URI, or a part of one, that would not be a URI in the message.
var ErrURI = errors.New("proxy: not a URI")

// RequestURI gives the Request-URI as it stands: the one that came, or the one
// that was set last. It is valid until the next change. nil for a response.
func (c *Context) RequestURI() []byte {
	if len(c.main.uri) > 0 {
		return c.main.uri
	}
	return c.Msg.RequestURI()
}

// SetRequestURI replaces the Request-URI. ErrURI if it has no scheme, or holds
// a byte that would end it in the message.
func (c *Context) SetRequestURI(uri []byte) error { return c.main.SetURI(uri) }

// SetUser replaces the user part of the Request-URI; the empty one removes it
// with its password.
func (c *Context) SetUser(user []byte) error {
	if !clean(user) || bytes.IndexByte(user, '@') >= 0 {
		return ErrURI
	}
	return c.changeURI(func(p *uriParts) {
		p.user = user
		if len(user) == 0 {
			p.password = nil
		}
	})
}

// SetPassword replaces the password of the Request-URI; the empty one removes it.
// ErrURI if there is no user before it.
func (c *Context) SetPassword(password []byte) error {
	if !clean(password) || bytes.ContainsAny(password, "@:;?") {
		return ErrURI
	}
	if u := c.parsedURI(); u == nil || u.User.Len == 0 {
		return ErrURI
	}
	return c.changeURI(func(p *uriParts) { p.password = password })
}

// SetHost replaces the host of the Request-URI: a name, or an address (IPv6 in
// brackets).
func (c *Context) SetHost(host []byte) error {
	if !clean(host) || len(host) == 0 || bytes.ContainsAny(host, "@;?<>") {
		return ErrURI
	}
	return c.changeURI(func(p *uriParts) { p.host = host })
}

// SetHostPort replaces host and port of the Request-URI: "host" or "host:port".
func (c *Context) SetHostPort(hostport []byte) error {
	host, port, ok := splitHostPort(hostport)
	if !ok || len(host) == 0 || !clean(host) || bytes.ContainsAny(host, "@;?<>") {
		return ErrURI
	}
	return c.changeURI(func(p *uriParts) { p.host, p.port = host, port })
}

// SetPort replaces the port of the Request-URI; 0 removes it.
func (c *Context) SetPort(port uint16) error {
	return c.changeURI(func(p *uriParts) { p.port = port })
}

// SetURIParam sets a parameter of the Request-URI, appended if it is not there.
// A nil value leaves only the name.
func (c *Context) SetURIParam(name, value []byte) error {
	if !clean(name) || !clean(value) || len(name) == 0 || bytes.ContainsAny(name, ";?=@<>") ||
		bytes.ContainsAny(value, ";?@<>") {
		return ErrURI
	}
	if err := c.RemoveURIParam(name); err != nil {
		return err
	}
	return c.changeURI(func(p *uriParts) { p.addName, p.addValue = name, value })
}

// RemoveURIParam takes a parameter out of the Request-URI.
func (c *Context) RemoveURIParam(name []byte) error {
	return c.changeURI(func(p *uriParts) { p.without = name })
}

// DestURI gives the URI of the next hop that was set, by the Router or by
// LooseRoute; nil if there is none.
func (c *Context) DestURI() []byte { return c.main.DestURI() }

// SetDestURI sets where Forward sends the message, whatever its Route and
// Request-URI say; the empty URI takes that back. The message itself does not
// change.
func (c *Context) SetDestURI(uri []byte) error { return c.main.SetDestURI(uri) }

// parsedURI gives the Request-URI as it stands in its parts, nil if it has none.
func (c *Context) parsedURI() *sipframe.URI {
	if len(c.main.uri) == 0 {
		u, _ := c.Msg.URI()
		return u
	}
	if sipframe.ParseURI(c.main.uri, &c.parts) != nil {
		return nil
	}
	return &c.parts
}

// uriParts are the parts of a URI while it is written anew.
type uriParts struct {
	scheme, user, password, host []byte
	port                         uint16
	params, headers              []byte // without the leading ; and ?
	without                      []byte // parameter to leave out
	addName, addValue            []byte
}

// changeURI writes the Request-URI again with what f changes. f's slices may
// point anywhere but into the buffer that is written.
func (c *Context) changeURI(f func(*uriParts)) error {
	now, u := c.RequestURI(), c.parsedURI()
	if u == nil || u.Host.Len == 0 {
		return ErrURI
	}
	p := uriParts{
		scheme: u.SchemeName.In(now), user: u.User.In(now), password: u.Password.In(now), host: u.Host.In(now),
		port: uint16(u.Port), params: u.Params.In(now), headers: u.Headers.In(now),
	}
	f(&p)
	c.uriBack = p.appendTo(c.uriBack[:0])
	c.main.uri, c.uriBack = c.uriBack, c.main.uri
	return nil
}

func (p *uriParts) appendTo(dst []byte) []byte {
	dst = append(append(dst, p.scheme...), ':')
	if len(p.user) > 0 {
		dst = append(dst, p.user...)
		if len(p.password) > 0 {
			dst = append(append(dst, ':'), p.password...)
		}
		dst = append(dst, '@')
	}
	dst = append(dst, p.host...)
	if p.port != 0 {
		dst = strconv.AppendUint(append(dst, ':'), uint64(p.port), 10)
	}
	for rest := p.params; len(rest) > 0; {
		var param []byte
		param, rest, _ = bytes.Cut(rest, []byte{';'})
		name, _, _ := bytes.Cut(param, []byte{'='})
		if len(param) > 0 && (p.without == nil || !sipframe.EqualFoldBytes(name, p.without)) {
			dst = append(append(dst, ';'), param...)
		}
	}
	if len(p.addName) > 0 {
		dst = append(append(dst, ';'), p.addName...)
		if p.addValue != nil {
			dst = append(append(dst, '='), p.addValue...)
		}
	}
	if len(p.headers) > 0 {
		dst = append(append(dst, '?'), p.headers...)
	}
	return dst
}

// clean tells whether b could stand inside a URI: no space, control character,
// quote or angle bracket, so it cannot end the Request-Line or a name-addr.
func clean(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// validURI tells whether b has a scheme and is clean.
func validURI(b []byte) bool {
	i := bytes.IndexByte(b, ':')
	return i > 0 && i < len(b)-1 && clean(b)
}
