package dialog

import (
	"hash/maphash"
	"sort"
	"sync"
)

const profileShards = 16

// Profile counts dialogs: all that are in it, and with HasValue by value. Any goroutine may call its methods.
type Profile struct {
	Name     string
	HasValue bool

	seed   maphash.Seed
	shards [profileShards]struct {
		mu     sync.Mutex
		counts map[string]int
		_      [64]byte
	}
}

// NewProfile makes a profile.
func NewProfile(name string, hasValue bool) *Profile {
	p := &Profile{Name: name, HasValue: hasValue, seed: maphash.MakeSeed()}
	for i := range p.shards {
		p.shards[i].counts = make(map[string]int)
	}
	return p
}

// link is a dialog's place in a profile.
type link struct {
	profile *Profile
	value   string
}

// Membership is that, as a Summary has it.
type Membership struct {
	Profile *Profile
	Value   string
}

func (p *Profile) add(value string, n int) {
	s := &p.shards[maphash.String(p.seed, value)%profileShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[value] += n; s.counts[value] <= 0 {
		delete(s.counts, value)
	}
}

// Size returns how many dialogs are in the profile, with any value.
func (p *Profile) Size() (n int) {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		for _, c := range s.counts {
			n += c
		}
		s.mu.Unlock()
	}
	return n
}

// SizeOf returns how many are in it with a value.
func (p *Profile) SizeOf(value string) int {
	s := &p.shards[maphash.String(p.seed, value)%profileShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[value]
}

// Count is a value with how many dialogs have it.
type Count struct {
	Value string
	Count int
}

// Values returns the values by name.
func (p *Profile) Values() (list []Count) {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		for v, n := range s.counts {
			list = append(list, Count{v, n})
		}
		s.mu.Unlock()
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Value < list[j].Value })
	return list
}

// maxLinks bounds the profiles and values of a dialog.
const maxLinks = 64

// Join puts the dialog into a profile; a profile without values ignores value. It is in it once for each value. It
// reports false for a dialog that has ended or is in too many.
func (d *Dialog) Join(p *Profile, value string) bool {
	if !p.HasValue {
		value = ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == Ended {
		return false
	}
	for _, l := range d.links {
		if l.profile == p && l.value == value {
			return true
		}
	}
	if len(d.links) == maxLinks {
		return false
	}
	d.links = append(d.links, link{p, value})
	p.add(value, 1)
	d.change()
	return true
}

// Leave takes it out of a profile: with all, whatever the value.
func (d *Dialog) Leave(p *Profile, value string, all bool) (was bool) {
	if !p.HasValue {
		value = ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.links[:0]
	for _, l := range d.links {
		if l.profile == p && (all || l.value == value) {
			was = true
			if d.state != Ended {
				p.add(l.value, -1)
			}
			continue
		}
		left = append(left, l)
	}
	clear(d.links[len(left):])
	d.links = left
	if was {
		d.change()
	}
	return was
}

// In reports whether the dialog is in a profile: with any, whatever the value.
func (d *Dialog) In(p *Profile, value string, any bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.links {
		if l.profile == p && (any || !p.HasValue || l.value == value) {
			return true
		}
	}
	return false
}
