package proxy

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
)

// ErrClaims: the Router has had messages name us by too many hosts.
var ErrClaims = errors.New("proxy: too many advertised hosts")

// ownName is what the Router has a message name us by, instead of what the
// listener does.
type ownName struct {
	host []byte // IPv6 in brackets; empty: the listener's
	port uint16 // 0: the listener's
}

// asked tells whether there is anything of it.
func (a *ownName) asked() bool { return len(a.host) > 0 || a.port != 0 }

// SetAdvertisedHost has this request name us by a host, a name or an address
// (IPv6 with or without brackets), in the Via, and in the Record-Route of the
// side that it leaves by. Empty takes that back. ErrURI if it is no host,
// ErrClaims if there were 1,000 others before: they are kept, since responses come
// back to them. Where the Record-Route names us so, Config.MyDomains has to as
// well, or what follows in the dialog goes past us.
func (c *Context) SetAdvertisedHost(host []byte) error {
	if addr, ok := parseAddr(host); ok && addr.Is6() { // in brackets or not
		host = bytes.Trim(host, "[]")
		c.advertised.host = append(append(append(c.advertised.host[:0], '['), host...), ']')
	} else {
		if len(host) > 0 && !validName(host) {
			return ErrURI
		}
		c.advertised.host = append(c.advertised.host[:0], host...)
	}
	if len(host) > 0 && !c.proxy.claims.add(c.advertised.host) {
		c.advertised.host = c.advertised.host[:0]
		return ErrClaims
	}
	return nil
}

// SetAdvertisedPort is SetAdvertisedHost for the port; 0 takes it back.
func (c *Context) SetAdvertisedPort(port uint16) { c.advertised.port = port }

// spokenAs gives a listener with what the Router has it name itself by. The
// texts of the last ones are kept: they are few.
func (c *Context) spokenAs(li *listener) *listener {
	if !c.advertised.asked() {
		return li
	}
	port := li.port
	if c.advertised.port != 0 {
		port = c.advertised.port
	}
	host := li.host
	if len(c.advertised.host) > 0 {
		host = c.advertised.host
	}
	for _, v := range c.spoken {
		if v.socket == li.socket && v.port == port && bytes.Equal(v.host, host) {
			return v
		}
	}
	if len(c.spoken) >= maxVoices {
		c.spoken = c.spoken[:0]
	}
	c.proxy.claims.add(host)
	v := *li
	v.port = port
	v.name(string(bytes.Trim(host, "[]")))
	c.spoken = append(c.spoken, &v)
	return &v
}

// claims are hosts that the Router has had messages name us by, whatever the
// port. Any goroutine; has and a known add take no lock.
type claims struct {
	hosts sync.Map // of string, in lower case
	n     atomic.Int32
}

// maxClaims bounds them: the hosts may come from messages.
const maxClaims = 1000

// add tells whether the host is one of them now.
func (c *claims) add(host []byte) bool {
	if c.has(host) {
		return true
	}
	if c.n.Add(1) > maxClaims {
		c.n.Add(-1)
		return false
	}
	if _, there := c.hosts.LoadOrStore(string(bytes.ToLower(host)), nil); there {
		c.n.Add(-1)
	}
	return true
}

// has tells whether a host, as it stands in a URI, is one of them.
func (c *claims) has(host []byte) bool {
	if c.n.Load() == 0 {
		return false
	}
	_, ok := c.hosts.Load(string(bytes.ToLower(host)))
	return ok
}
