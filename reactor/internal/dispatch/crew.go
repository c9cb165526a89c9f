package dispatch

import (
	"hash/maphash"
	"sync"
	"time"

	"sipreactor/reactor/internal/glance"
)

// Config is what a Crew is told.
type Config struct {
	Shards  int           // how many
	Bound   int           // items that may wait in each
	Waiters int           // goroutines of each that may wait
	Delay   time.Duration // how long an item may have to wait; 0: any time
	Now     func() int64
	// Eased is called when a shard has room again.
	Eased func()
	// Worker makes another one who runs the Handler, and returns his place.
	Worker func() *Place
	// ShardOf returns the shard of a branch of ours, Rename the Call-ID that a message's is
	// known by to the other side; both may be nil.
	ShardOf func(branch []byte) (shard int, ok bool)
	Rename  func(callID []byte) []byte
}

// Crew is all who run the Handler. Any goroutine may call it.
type Crew struct {
	Shards []*Shard

	cfg     Config
	seed    maphash.Seed
	resting sync.Pool      // places of loops that have left theirs, with what their workers keep
	at      sync.WaitGroup // goroutines, and hosts that wait
}

// Init readies a crew that does not work yet.
func (c *Crew) Init(cfg Config) {
	c.cfg, c.seed = cfg, maphash.MakeSeed()
	for i := range cfg.Shards {
		c.Shards = append(c.Shards, newShard(c, i))
	}
}

// Place makes another who runs the Handler, at no shard yet.
func (c *Crew) Place() *Place { return c.cfg.Worker() }

// Open has the shards worked off.
func (c *Crew) Open() {
	for _, s := range c.Shards {
		s.Open()
	}
}

// Close ends them, when all that is there is done.
func (c *Crew) Close() {
	for _, s := range c.Shards {
		s.Close()
	}
	c.at.Wait()
}

// Of returns the shard of a message that came: all of a Call-ID go to one, so that a
// dialog stays in order, and a response goes to the one of its request.
func (c *Crew) Of(data []byte) int { return c.by(data, glance.IsReply(data)) }

// OfOurs returns the shard of a message of ours that comes back: of a request the one
// that its responses go to.
func (c *Crew) OfOurs(data []byte) int { return c.by(data, !glance.IsReply(data)) }

// by returns the shard of a message, with answers whether its topmost Via is ours.
func (c *Crew) by(data []byte, answers bool) int {
	if len(c.Shards) == 1 {
		return 0
	}
	if answers && c.cfg.ShardOf != nil {
		if i, ok := c.cfg.ShardOf(glance.Branch(data)); ok && i < len(c.Shards) {
			return i
		}
	}
	id := glance.CallID(data)
	if c.cfg.Rename != nil {
		id = c.cfg.Rename(id)
	}
	return int(maphash.Bytes(c.seed, id) % uint64(len(c.Shards)))
}

// Returned puts a message that comes back into its shard, however many wait there.
func (c *Crew) Returned(it Item) { c.Shards[c.OfOurs(it.Data)].Put(it) }

// Quiet reports whether no item is being worked on, and none waits.
func (c *Crew) Quiet() bool {
	for _, s := range c.Shards {
		if s.Busy() != 0 {
			return false
		}
	}
	return true
}

// Late reports whether something waits for too long in a shard.
func (c *Crew) Late() bool {
	for _, s := range c.Shards {
		if c.cfg.Delay != 0 && s.Wait() >= c.cfg.Delay {
			return true
		}
	}
	return false
}

// Calm reports whether there is room for more in every shard.
func (c *Crew) Calm() bool {
	for _, s := range c.Shards {
		if s.Wait() > c.cfg.Delay/2 {
			return false
		}
	}
	return true
}
