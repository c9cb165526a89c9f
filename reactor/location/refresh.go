package location

// Flags of contacts that the table and its users agree on.
const (
	// MemoryOnly contacts are not stored, unless they have a row.
	MemoryOnly uint32 = 2
	// Pushed contacts are woken by push notifications (RFC 8599).
	Pushed uint32 = 4
	// reminded contacts were told by Refreshing since they registered.
	reminded uint32 = 1 << 31
)

// Refreshing calls visit for the pushed contacts of one of so many parts of the table that end within a time and were not
// told since they registered.
func (t *Table) Refreshing(part, parts int, now, within int64, visit func(c Contact)) {
	var list []Contact
	t.EachOf(part, parts, func(c *Contact) bool {
		if c.Flags&(Pushed|reminded) == Pushed && c.Alive(now) && c.Expires != 0 && c.Expires-now <= within {
			c.Flags |= reminded
			list = append(list, *c)
		}
		return true
	})
	for i := range list {
		visit(list[i])
	}
}
