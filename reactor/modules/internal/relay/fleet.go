package relay

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor/script"
)

// Client speaks to one node.
type Client interface {
	// Ping asks whether the node is there. It may block.
	Ping(ctx context.Context) error
	// Renew has the next request resolve the node's name again.
	Renew()
	Close()
}

// state is whether a node is used.
type state int32

const (
	enabled  state = iota
	disabled       // by the management interface, until that enables it
	probing        // it did not answer; it is pinged from time to time
)

// Node is one relay in one set.
type Node[C Client] struct {
	URL    string // as the configuration has it, without what follows it
	Set    int
	Weight int // 0: used when no other answers
	// Advertised is the address that stands in the place of the node's own; "" is none.
	Advertised string
	Client     C // from Open on

	state atomic.Int32
	// recheck is when it is pinged, and heard when it answered last, in nanoseconds of
	// UNIX time.
	recheck, heard atomic.Int64
}

func (n *Node[C]) is() state { return state(n.state.Load()) }

// Sets are nodes by the numbers of their sets.
type Sets[C Client] map[int][]*Node[C]

// Fleet are the nodes in their sets.
type Fleet[C Client] struct {
	sets atomic.Pointer[Sets[C]] // replaced as a whole by Reload
	// Check tells what is wrong with the URL of a node; nil: nothing can be.
	Check func(url string) error
	// Pause is how long a node that did not answer is left alone, Interval how often
	// Probe looks at all.
	Pause, Interval time.Duration
	// PingEnabled has nodes pinged that are enabled and were not heard of in an Interval.
	PingEnabled bool
	// Event is raised when a node is taken out, or back. WithSet has it tell the set.
	Event   string
	WithSet bool

	env    *script.Env
	client func(url string) C
	moved  *moved[C]
}

// New makes a fleet with the times that OpenSIPS has.
func New[C Client](event string) *Fleet[C] {
	f := &Fleet[C]{Pause: time.Minute, Interval: 5 * time.Second, Event: event, moved: &moved[C]{calls: make(map[movedKey]movedCall[C])}}
	f.sets.Store(&Sets[C]{})
	return f
}

// Of gives the nodes of a set; none if there is no such set.
func (f *Fleet[C]) Of(set int) []*Node[C] { return (*f.sets.Load())[set] }

// Has reports whether there is a set.
func (f *Fleet[C]) Has(set int) bool { return len(f.Of(set)) > 0 }

// All yields the nodes, set by set.
func (f *Fleet[C]) All(yield func(*Node[C]) bool) {
	f.sets.Load().all(yield)
}

func (s *Sets[C]) all(yield func(*Node[C]) bool) {
	for _, set := range slices.Sorted(maps.Keys(*s)) {
		for _, n := range (*s)[set] {
			if !yield(n) {
				return
			}
		}
	}
}

// Numbers lists the sets.
func (f *Fleet[C]) Numbers() []int { return slices.Sorted(maps.Keys(*f.sets.Load())) }

// Add reads nodes: [set ==] url[|advertised address][=weight]...; without a set they are
// of the one that is given. It is for before Open.
func (f *Fleet[C]) Add(text string, set int) error { return f.add(*f.sets.Load(), text, set) }

func (f *Fleet[C]) add(sets Sets[C], text string, set int) error {
	if number, rest, ok := strings.Cut(text, "=="); ok {
		n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 31)
		if err != nil {
			return fmt.Errorf("is wrong: %q is no number of a set", strings.TrimSpace(number))
		}
		set, text = int(n), rest
	}
	for word := range strings.FieldsSeq(text) {
		n := &Node[C]{Set: set, Weight: 1}
		url, weight, ok := strings.Cut(word, "=")
		if ok {
			w, err := strconv.ParseUint(weight, 10, 16)
			if err != nil {
				return fmt.Errorf("is wrong: %q is no weight", weight)
			}
			n.Weight = int(w)
		}
		n.URL, n.Advertised, _ = strings.Cut(url, "|")
		if f.Check != nil {
			if err := f.Check(n.URL); err != nil {
				return fmt.Errorf("is wrong: %w", err)
			}
		}
		if slices.ContainsFunc(sets[set], func(o *Node[C]) bool { return o.URL == n.URL }) {
			return fmt.Errorf("names %s twice in set %d", n.URL, set)
		}
		sets[set] = append(sets[set], n)
	}
	return nil
}

// Open makes the clients of nodes and begins to probe. Nodes that the fleet of the
// configuration before has are taken over with their state and clients if same allows
// that, and the calls that it remembers; before is nil at the start.
func (f *Fleet[C]) Open(e *script.Env, before *Fleet[C], same bool, client func(url string) C) {
	f.env, f.client = e, client
	var old *Sets[C]
	if before != nil {
		f.moved = before.moved
		if same {
			old = before.sets.Load()
		}
	}
	f.equip(*f.sets.Load(), old)
	e.Every(f.Interval, f.Probe)
}

// equip gives nodes their clients: those of the same nodes of before, with their state, or new ones.
func (f *Fleet[C]) equip(sets Sets[C], before *Sets[C]) {
	for _, list := range sets {
		for i, n := range list {
			if old := before.find(n); old != nil && old.Weight == n.Weight && old.Advertised == n.Advertised {
				list[i] = old
				continue
			}
			n.Client = f.client(n.URL)
		}
	}
}

// Reload has other nodes in the place of all that there are: those that read adds. After an error all stay. One at a time.
func (f *Fleet[C]) Reload(read func(add func(text string, set int) error) error) error {
	sets, before := make(Sets[C]), f.sets.Load()
	if err := read(func(text string, set int) error { return f.add(sets, text, set) }); err != nil {
		return err
	}
	f.equip(sets, before)
	f.sets.Store(&sets)
	before.close(&sets)
	return nil
}

// find gives the node of the same set and URL.
func (s *Sets[C]) find(n *Node[C]) *Node[C] {
	if s == nil {
		return nil
	}
	for _, old := range (*s)[n.Set] {
		if old.URL == n.URL {
			return old
		}
	}
	return nil
}

// Close ends the clients that the fleet of the next configuration has not; that is nil at
// the end of the program.
func (f *Fleet[C]) Close(next *Fleet[C]) {
	if f.env == nil {
		return // it was never opened
	}
	var others *Sets[C]
	if next != nil {
		others = next.sets.Load()
	}
	f.sets.Load().close(others)
}

// close ends the clients of nodes that the others are not.
func (s *Sets[C]) close(others *Sets[C]) {
	for n := range s.all {
		if others.find(n) != n {
			n.Client.Close()
		}
	}
}

// Down counts the nodes that are not used.
func (f *Fleet[C]) Down() (count uint64) {
	for n := range f.All {
		if n.is() != enabled {
			count++
		}
	}
	return count
}

// Heard notes that a node answered.
func (f *Fleet[C]) Heard(n *Node[C]) {
	n.heard.Store(time.Now().UnixNano())
	if n.state.CompareAndSwap(int32(probing), int32(enabled)) {
		f.changed(n, "active", "it answers")
	}
}

// Unheard takes a node out that cannot be reached.
func (f *Fleet[C]) Unheard(n *Node[C], err error) {
	n.recheck.Store(time.Now().Add(f.Pause).UnixNano())
	if n.state.CompareAndSwap(int32(enabled), int32(probing)) {
		f.changed(n, "inactive", err.Error())
	}
}

// changed tells that a node is taken out or back.
func (f *Fleet[C]) changed(n *Node[C], status, why string) {
	f.env.Log.Warn("a media relay is "+status, slog.String("node", n.URL), slog.Int("set", n.Set), slog.String("why", why))
	if !f.env.Heard(f.Event) {
		return
	}
	params := []script.Param{script.TextParam("socket", n.URL), script.TextParam("status", status)}
	if f.WithSet {
		params = append(params, script.NumberParam("set", int64(n.Set)))
	}
	f.env.Raise(f.Event, params...)
}

// Probe pings the nodes whose time it is. It blocks until they answered.
func (f *Fleet[C]) Probe(ctx context.Context) {
	now := time.Now()
	var all sync.WaitGroup
	for n := range f.All {
		switch n.is() {
		case disabled:
			continue
		case enabled:
			if !f.PingEnabled || now.Sub(time.Unix(0, n.heard.Load())) < f.Interval {
				continue
			}
		case probing:
			if now.UnixNano() < n.recheck.Load() {
				continue
			}
			n.Client.Renew()
		}
		all.Go(func() {
			f.env.Guard(func(context.Context) {
				switch err := n.Client.Ping(ctx); {
				case ctx.Err() != nil:
				case err != nil:
					f.Unheard(n, err)
				default:
					f.Heard(n)
				}
			})
		})
	}
	all.Wait()
	f.moved.sweep(now.Add(-24 * time.Hour))
}
