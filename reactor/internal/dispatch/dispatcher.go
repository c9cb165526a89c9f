package dispatch

import (
	"hash/maphash"
	"sync"
	"time"

	"sipreactor/reactor/internal/peek"
)

// Config is what a Dispatcher is told.
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

// Dispatcher has all who run the Handler. Any goroutine may call it.
type Dispatcher struct {
	Shards []*Shard

	cfg     Config
	seed    maphash.Seed
	resting sync.Pool      // places of loops that have left theirs, with what their workers keep
	at      sync.WaitGroup // goroutines, and hosts that wait
}

// Init readies one that does not work yet.
func (d *Dispatcher) Init(cfg Config) {
	d.cfg, d.seed = cfg, maphash.MakeSeed()
	for i := range cfg.Shards {
		d.Shards = append(d.Shards, newShard(d, i))
	}
}

// Place makes another who runs the Handler, at no shard yet.
func (d *Dispatcher) Place() *Place { return d.cfg.Worker() }

// Open has the shards worked off.
func (d *Dispatcher) Open() {
	for _, s := range d.Shards {
		s.Open()
	}
}

// Close ends them, when all that is there is done.
func (d *Dispatcher) Close() {
	for _, s := range d.Shards {
		s.Close()
	}
	d.at.Wait()
}

// Of returns the shard of a message that came: all of a Call-ID go to one, so that a
// dialog stays in order, and a response goes to the one of its request.
func (d *Dispatcher) Of(data []byte) int { return d.by(data, peek.IsResponse(data)) }

// OfOurs returns the shard of a message of ours that comes back: of a request the one
// that its responses go to.
func (d *Dispatcher) OfOurs(data []byte) int { return d.by(data, !peek.IsResponse(data)) }

// by returns the shard of a message, with answers whether its topmost Via is ours.
func (d *Dispatcher) by(data []byte, answers bool) int {
	if len(d.Shards) == 1 {
		return 0
	}
	if answers && d.cfg.ShardOf != nil {
		if i, ok := d.cfg.ShardOf(peek.Branch(data)); ok && i < len(d.Shards) {
			return i
		}
	}
	id := peek.CallID(data)
	if d.cfg.Rename != nil {
		id = d.cfg.Rename(id)
	}
	return int(maphash.Bytes(d.seed, id) % uint64(len(d.Shards)))
}

// Returned puts a message that comes back into its shard, however many wait there.
func (d *Dispatcher) Returned(it Item) { d.Shards[d.OfOurs(it.Data)].Put(it) }

// Quiet reports whether no item is being worked on, and none waits.
func (d *Dispatcher) Quiet() bool {
	for _, s := range d.Shards {
		if s.Busy() != 0 {
			return false
		}
	}
	return true
}

// Late reports whether something waits for too long in a shard.
func (d *Dispatcher) Late() bool {
	for _, s := range d.Shards {
		if d.cfg.Delay != 0 && s.Wait() >= d.cfg.Delay {
			return true
		}
	}
	return false
}

// Calm reports whether there is room for more in every shard.
func (d *Dispatcher) Calm() bool {
	for _, s := range d.Shards {
		if s.Wait() > d.cfg.Delay/2 {
			return false
		}
	}
	return true
}
