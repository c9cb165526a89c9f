package proxy

import (
	"errors"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/blacklist"
)

// ErrFiltered: a blacklist that the message uses keeps it from the destination.
var ErrFiltered = errors.New("proxy: the destination is blacklisted")

// deadFor is how long Config.DeadTargets has a target that failed.
const deadFor = 4 * time.Minute

// listing is the lists in use.
type listing struct {
	set  *blacklist.Set
	dead *blacklist.List
}

// Blacklists gives the lists in use; nil is none.
func (p *Proxy) Blacklists() *blacklist.Set { return p.lists.Load().set }

// SetBlacklists puts others in the place of Config's Blacklists and DeadTargets. The set
// has followed the one before it, so that messages under way keep what they use.
func (p *Proxy) SetBlacklists(set *blacklist.Set, dead *blacklist.List) {
	p.lists.Store(&listing{set, dead})
}

// UseBlacklist has the message kept from what a list has. It reports whether there
// is such a list.
func (c *Context) UseBlacklist(name []byte) bool {
	m := c.proxy.Blacklists().Mask(name)
	c.blacklists |= m
	return m != 0
}

// UnuseBlacklist takes a list back, one that messages use by default, too.
func (c *Context) UnuseBlacklist(name []byte) bool {
	m := c.proxy.Blacklists().Mask(name)
	c.blacklists &^= m
	return m != 0
}

// UsedBlacklists gives the lists that the message uses.
func (c *Context) UsedBlacklists() blacklist.Mask { return c.blacklists }

// admits tells whether a message, which text gives as it would be sent, may go to an
// end point: nil, or ErrFiltered.
func (c *Context) admits(lists blacklist.Mask, to reactor.EndPoint, text reactor.Appender) error {
	if lists == 0 {
		return nil
	}
	read := func() []byte {
		c.filtered = text.AppendTo(c.filtered[:0])
		return c.filtered
	}
	if c.proxy.Blacklists().Match(lists, to, read, time.Now()) != nil {
		c.count.add(RequestsFiltered)
		return ErrFiltered
	}
	return nil
}

// dead notes that a target of several failed, before the next one gets its message.
// why is nil where the target's own silence or answer is why.
func (p *Proxy) dead(to reactor.EndPoint, why error) {
	l := p.lists.Load().dead
	if l == nil || !to.Addr.IsValid() {
		return
	}
	var e *reactor.Error
	if why == nil || errors.As(why, &e) && e.Blame == reactor.BlamePeer {
		_ = l.Add(blacklist.Exactly(to), deadFor, time.Now()) // a full list has those that failed first
	}
}
