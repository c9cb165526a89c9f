package connection

// WatchWrite has the connect queue tell when the socket takes bytes again (Writable). Loop
// only.
func (c *Conn) WatchWrite() error {
	c.Own.known = true
	return c.Common.Connects.WatchWrite(c)
}

// WatchEnd has it tell when the peer resets a connection that no loop reads any more. Loop
// only.
func (c *Conn) WatchEnd() error {
	c.Own.known = true
	return c.Common.Connects.WatchEnd(c)
}

// Unwatch has it forget the descriptor. Owner only.
func (c *Conn) Unwatch() {
	if c.Own.known {
		c.Common.Connects.Forget(c)
	}
}
