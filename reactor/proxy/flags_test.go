package proxy

// SetBranchFlag sets flag n of branch 0, as scripts do by Branch.
func (c *Context) SetBranchFlag(n uint) { c.main.flags |= 1 << (n & 63) }

// ResetBranchFlag clears it.
func (c *Context) ResetBranchFlag(n uint) { c.main.flags &^= 1 << (n & 63) }

// IsBranchFlagSet reports whether it is set.
func (c *Context) IsBranchFlagSet(n uint) bool { return c.main.flags&(1<<(n&63)) != 0 }

// openNothing forbids to open a connection for the message at hand, by a flag.
func (c *Context) openNothing() {
	const flag = 63
	c.SetNoNewFlags(1<<flag, 0)
	c.SetBranchFlag(flag)
}
