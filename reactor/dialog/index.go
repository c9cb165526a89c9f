package dialog

import "sync"

// kind is what an index goes by.
type kind uint8

const (
	byID kind = iota
	byCallID
	kinds
)

const tableShards = 64

// index finds dialogs by their ID or by their Call-ID. Its chains go through the dialogs themselves: with as many calls as no
// processor's cache holds, a map takes several times as long to enter, to find and to leave.
type index struct {
	kind   kind
	shards [tableShards]chains
}

// chains are a shard of an index; mu guards all of it, and what its dialogs have of it.
type chains struct {
	mu    sync.RWMutex
	heads []*Dialog // by hash; as many as a power of two
	many  int       // dialogs
	_     [64]byte
}

// chained is the place of a dialog in a chain.
type chained struct {
	hash uint64
	next *Dialog
}

func (x *index) shard(hash uint64) *chains { return &x.shards[hash%tableShards] }

// head is where the chain of a hash begins.
func (c *chains) head(hash uint64) **Dialog {
	return &c.heads[hash/tableShards&uint64(len(c.heads)-1)]
}

// first returns the first dialog that may have a hash, whose next may, too. The shard is
// locked, at least for reading.
func (c *chains) first(hash uint64) *Dialog {
	if c.many == 0 {
		return nil
	}
	return *c.head(hash)
}

// add enters a dialog, in front of others. The shard is locked.
func (c *chains) add(d *Dialog, k kind, hash uint64) {
	if c.many == len(c.heads) {
		c.grow(k)
	}
	head := c.head(hash)
	d.chained[k] = chained{hash, *head}
	*head = d
	c.many++
}

// grow makes twice as many chains, each with its dialogs in the order that they had.
func (c *chains) grow(k kind) {
	old := c.heads
	c.heads = make([]*Dialog, max(8, 2*len(old)))
	for _, d := range old {
		var back *Dialog
		for d != nil {
			d, d.chained[k].next, back = d.chained[k].next, back, d
		}
		for back != nil {
			d = back
			back = d.chained[k].next
			head := c.head(d.chained[k].hash)
			d.chained[k].next, *head = *head, d
		}
	}
}

// remove takes a dialog out. It reports whether it was there. The shard is locked.
func (c *chains) remove(d *Dialog, k kind) bool {
	if c.many == 0 {
		return false
	}
	for at := c.head(d.chained[k].hash); *at != nil; at = &(*at).chained[k].next {
		if *at == d {
			*at, d.chained[k].next = d.chained[k].next, nil
			c.many--
			return true
		}
	}
	return false
}
