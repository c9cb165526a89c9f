package loadbalancer

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
)

// What lb_start and lb_next return, besides 1.
const (
	failed       = -1
	noCapacity   = -2
	noneLeft     = -3
	badResources = -4
)

// request is what a call asks for.
type request struct {
	group     int
	resources []string
	negative  bool // n: destinations without room, too
	relative  bool // r: room in parts of the capacity
	spread    bool // s: by chance among those with the same room
}

// parseFlags reads the flags of lb_start. ok is false for a letter that is none.
func (r *request) parseFlags(flags string) (bad rune, ok bool) {
	for _, c := range flags {
		switch c {
		case 'n', 'N':
			r.negative = true
		case 'r', 'R':
			r.relative = true
		case 's', 'S':
			r.spread = true
		case ' ', ',':
		default:
			return c, false
		}
	}
	return 0, true
}

// parseNeeds splits what a call asks for: resources separated by semicolons.
func parseNeeds(s string) (needs []string) {
	for n := range strings.SplitSeq(s, ";") {
		if n = strings.TrimSpace(n); n != "" && !slices.Contains(needs, n) {
			needs = append(needs, n)
		}
	}
	return needs
}

// room gives how much of what a call asks for a destination has left; ok is false
// if it has not all of it.
func (d *Destination) room(r *request) (room int64, ok bool) {
	room = math.MaxInt64
	for _, name := range r.resources {
		res := d.resource(name)
		if res == nil {
			return 0, false
		}
		capacity, load := res.Capacity.Load(), res.Load.Load()
		left := capacity - load
		if r.relative {
			left = -load
			if capacity > 0 {
				left = 100 - 100*load/capacity
			}
		}
		room = min(room, left)
	}
	return room, true
}

// pick chooses the destination with most room, and takes it there; tried are those
// that have been tried. The code is 1, or why there is none.
func (t *Table) pick(r *request, tried []int, now time.Time, policy *destination.Policy) (*Destination, int) {
	if len(r.resources) == 0 {
		return nil, badResources
	}
	for _, name := range r.resources {
		if !t.names[name] {
			return nil, badResources
		}
	}
	code := noneLeft
	for _, strict := range [...]bool{true, false} { // those that cannot be reached right now come last
		for range 1 + len(t.groups[r.group]) { // another call may take the room that we have seen
			d, why := t.best(r, tried, strict, now, policy)
			if d == nil {
				code = max(code, why)
				break
			}
			if d.take(r) {
				return d, 1
			}
		}
	}
	return nil, code
}

// best gives the destination with most room, or why there is none.
func (t *Table) best(r *request, tried []int, strict bool, now time.Time, policy *destination.Policy) (best *Destination, code int) {
	code = noneLeft
	var most int64
	same := 0
	for _, d := range t.groups[r.group] {
		if d.Health.State() != destination.Active || slices.Contains(tried, d.Row.ID) ||
			strict && !d.Health.Usable(now, rand.Uint64(), policy) {
			continue
		}
		room, ok := d.room(r)
		if !ok {
			continue
		}
		if room <= 0 && !r.negative {
			code = noCapacity
			continue
		}
		switch {
		case best == nil || room > most:
			best, most, same = d, room, 1
		case room == most && r.spread:
			if same++; rand.IntN(same) == 0 {
				best = d
			}
		}
	}
	return best, code
}

// take counts a call, if there is room for it or the call does not mind.
func (d *Destination) take(r *request) bool {
	for i, name := range r.resources {
		res := d.resource(name)
		if load := res.Load.Add(1); load > res.Capacity.Load() && !r.negative {
			d.release(r.resources[:i+1])
			return false
		}
	}
	return true
}

// release gives back what a call had.
func (d *Destination) release(resources []string) {
	for _, name := range resources {
		d.load(name).Add(-1)
	}
}
