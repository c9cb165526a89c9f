package blacklist

import (
	"fmt"
	"slices"
	"time"

	"sipreactor/reactor"
)

// MaxLists is how many lists a Set may have.
const MaxLists = 64

// Mask is some lists of a Set.
type Mask uint64

// Set is the lists of a configuration; the zero value has none. It is filled before
// the first message; after that any goroutine may call the other methods.
type Set struct {
	lists    []*List // nil: the place of one that is gone
	defaults Mask
}

// Add puts a list in. A name that is taken is an error.
func (s *Set) Add(l *List) error {
	if s.Find(l.name) != nil {
		return fmt.Errorf("blacklist: there are two lists %s", l.name)
	}
	if len(s.lists) == MaxLists {
		return fmt.Errorf("blacklist: %s is one list too many, %d is the most", l.name, MaxLists)
	}
	if l.flags&Default != 0 {
		s.defaults |= 1 << len(s.lists)
	}
	s.lists = append(s.lists, l)
	return nil
}

// Follow has the set take the place of an older one while messages with masks of that
// are under way: a list keeps its place by its name, and the rules that it has learned.
// It belongs to the filling.
func (s *Set) Follow(old *Set) {
	if s == nil || old == nil {
		return
	}
	places := make([]*List, len(old.lists))
	var more []*List
	for _, l := range s.lists {
		i := slices.IndexFunc(old.lists, func(o *List) bool { return o != nil && o.name == l.name })
		if i < 0 {
			more = append(more, l)
			continue
		}
		l.learn(old.lists[i])
		places[i] = l
	}
	for _, l := range more {
		if len(places) < MaxLists {
			places = append(places, l)
		} else {
			places[slices.Index(places, nil)] = l // there is one: no set has more than MaxLists
		}
	}
	s.lists, s.defaults = places, 0
	for i, l := range places {
		if l != nil && l.flags&Default != 0 {
			s.defaults |= 1 << i
		}
	}
}

// Lists gives all lists, in the order in which they came.
func (s *Set) Lists() []*List {
	if s == nil {
		return nil
	}
	if slices.Contains(s.lists, nil) {
		return slices.DeleteFunc(slices.Clone(s.lists), func(l *List) bool { return l == nil })
	}
	return s.lists
}

// Defaults gives the lists that a message uses unless it says otherwise.
func (s *Set) Defaults() Mask {
	if s == nil {
		return 0
	}
	return s.defaults
}

// Find gives the list of a name; nil if there is none.
func (s *Set) Find(name string) *List {
	for _, l := range s.Lists() {
		if l.name == name {
			return l
		}
	}
	return nil
}

// Mask gives the mask of a name's list; 0 if there is none.
func (s *Set) Mask(name []byte) Mask {
	if s == nil {
		return 0
	}
	for i, l := range s.lists {
		if l != nil && l.name == string(name) {
			return 1 << i
		}
	}
	return 0
}

// Match gives the first list of a mask that keeps a request from an end point; nil
// if none does. text gives the message, nil is none.
func (s *Set) Match(m Mask, to reactor.EndPoint, text func() []byte, now time.Time) *List {
	if s == nil || m == 0 {
		return nil
	}
	for i, l := range s.lists {
		if l == nil || m&(1<<i) == 0 {
			continue
		}
		if _, ok := l.Match(to, text, now); ok {
			return l
		}
	}
	return nil
}
