package proxy

// SetVerified tells in which header, by its index, the credentials stand that were
// verified: who asks for the user of a request is told that of those, and not of others
// that its sender has put beside them.
func (c *Context) SetVerified(header int) { c.verified = int32(header) + 1 }

// Verified returns the index of the header whose credentials were verified; -1: none were.
func (c *Context) Verified() int { return int(c.verified) - 1 }
