package location

// schedule links a contact into the slot of the second that it ends in.
func (s *shard) schedule(c *node) {
	if c.Expires == 0 {
		return
	}
	head := &s.wheel[c.Expires%wheelSlots]
	c.before, c.behind = nil, *head
	if *head != nil {
		(*head).before = c
	}
	*head = c
}

func (s *shard) unschedule(c *node) {
	if c.Expires == 0 {
		return
	}
	if c.behind != nil {
		c.behind.before = c.before
	}
	if c.before != nil {
		c.before.behind = c.behind
	} else {
		s.wheel[c.Expires%wheelSlots] = c.behind
	}
	c.before, c.behind = nil, nil
}

// Expire drops the contacts that are over. It is called about once a second; a call that comes late makes up for those
// that did not.
func (t *Table) Expire(now int64) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		from := s.swept + 1
		if s.swept == 0 || now-s.swept > wheelSlots {
			from = now - wheelSlots + 1 // every slot once
		}
		for at := from; at <= now; at++ {
			for c := s.wheel[((at%wheelSlots)+wheelSlots)%wheelSlots]; c != nil; {
				behind := c.behind
				if c.Expires <= now {
					t.expired.Add(1)
					t.drop(s, c, itsTime)
				}
				c = behind
			}
		}
		s.swept = max(s.swept, now)
		t.tell(s)
	}
}
