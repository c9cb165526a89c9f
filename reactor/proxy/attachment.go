package proxy

// attachment is what somebody keeps with a message.
type attachment struct{ key, value any }

// Attach keeps a value with the message until it is done, as one that several
// functions of a script have to do with. The key is the owner's: a pointer, or a
// type of its own.
func (c *Context) Attach(key, value any) {
	for i := range c.attached {
		if c.attached[i].key == key {
			c.attached[i].value = value
			return
		}
	}
	c.attached = append(c.attached, attachment{key, value})
}

// Attachment gives the value that was attached by a key; nil if none was.
func (c *Context) Attachment(key any) any {
	for i := range c.attached {
		if c.attached[i].key == key {
			return c.attached[i].value
		}
	}
	return nil
}
