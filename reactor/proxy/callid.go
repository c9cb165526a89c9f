package proxy

import "sipreactor/sipframe"

// CallID returns the Call-ID of the message at hand as the caller of its call knows it: that of SetCallID, or else CallIDOf.
func (c *Context) CallID() []byte {
	switch {
	case len(c.knownID) > 0:
		return c.knownID
	case c.proxy == nil:
		return c.Msg.CallID()
	}
	return c.proxy.CallIDOf(c.Msg)
}

// SetCallID says which call the message at hand is of, by the Call-ID that its caller knows.
func (c *Context) SetCallID(id string) { c.knownID = append(c.knownID[:0], id...) }

// SetCallIDs has CallID ask f, which any goroutine may call; nil: nobody.
func (p *Proxy) SetCallIDs(f func(callID []byte) []byte) {
	if f == nil {
		p.callIDs.Store(nil)
		return
	}
	p.callIDs.Store(&f)
}

// CallID returns what a message's Call-ID was before the Router gave the other side another one: reactor.Renamer.
func (p *Proxy) CallID(callID []byte) []byte {
	if f := p.callIDs.Load(); f != nil {
		return (*f)(callID)
	}
	return callID
}

// CallIDOf returns the Call-ID of a message as the caller of its call knows it, where the Router has given the callee another
// one. Who begins a call is its caller.
func (p *Proxy) CallIDOf(m *sipframe.Message) []byte {
	id := m.CallID()
	f := p.callIDs.Load()
	if f == nil {
		return id
	}
	if to, err := m.To(); m.IsRequest() && err == nil && to.Tag.Len == 0 {
		return id
	}
	return (*f)(id)
}
