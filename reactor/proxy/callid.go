package proxy

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
