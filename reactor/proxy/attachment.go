package proxy

// Attach keeps a value with the message until it is done, as one that several
// functions of a script have to do with. The key is the owner's: a pointer, or a
// type of its own.
func (c *Context) Attach(key, value any) { c.attached.Set(key, value) }

// Attachment gives the value that was attached by a key; nil if none was.
func (c *Context) Attachment(key any) any { return c.attached.Get(key) }

// Detach lets go of all that was attached: what Begin does for a message, for a Context that is used without one.
func (c *Context) Detach() {
	clear(c.attached)
	c.attached = c.attached[:0]
}

// Decided is an attached value that is told what the Router has decided on its
// request. The answers of a transaction are told to the listeners of that.
type Decided interface {
	// Decided tells that the request in c is about to go on (code 0), wherever that
	// leads and whether it can be sent or not, or is answered with a code.
	Decided(c *Context, code int)
}

// decided tells those who are attached.
func (c *Context) decided(code int) {
	for i := range c.attached {
		if d, ok := c.attached[i].Value.(Decided); ok {
			d.Decided(c, code)
		}
	}
}
