package blacklist

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
)

// MaxRules is how many rules a list may have.
const MaxRules = 1 << 14

// Flags are what a list is.
type Flags uint8

// The flags, as dst_blacklist names them.
const (
	Expire   Flags = 1 << iota // its rules may expire
	Default                    // messages use it unless they say otherwise
	ReadOnly                   // it stays as it is
)

// Errors of List.
var (
	ErrReadOnly = errors.New("blacklist: the list cannot be changed")
	ErrNoExpiry = errors.New("blacklist: the rules of the list do not expire")
	ErrFull     = errors.New("blacklist: the list is full")
	ErrNoRule   = errors.New("blacklist: the list has no such rule")
)

// Entry is a rule in a list.
type Entry struct {
	Rule
	Until time.Time // the zero value is forever
}

// List is a blacklist. Any goroutine.
type List struct {
	name, owner string
	flags       Flags
	given       []Rule // by the configuration: all others are learned

	mu      sync.Mutex
	entries atomic.Pointer[[]Entry]
}

// NewList makes a list. The rules may be nil.
func NewList(name, owner string, flags Flags, rules []Rule) (*List, error) {
	if len(rules) > MaxRules {
		return nil, fmt.Errorf("blacklist: %s has %d rules, %d is the most", name, len(rules), MaxRules)
	}
	l := &List{name: name, owner: owner, flags: flags, given: slices.Clone(rules)}
	entries := make([]Entry, len(rules))
	for i, r := range rules {
		entries[i].Rule = r
	}
	l.entries.Store(&entries)
	return l, nil
}

// Name returns what scripts call the list.
func (l *List) Name() string { return l.name }

// Owner returns who made it: core, or a module.
func (l *List) Owner() string { return l.owner }

// Flags returns what it is.
func (l *List) Flags() Flags { return l.flags }

// Entries gives the rules that are in force at a time. It must not be changed.
func (l *List) Entries(now time.Time) []Entry {
	all := *l.entries.Load()
	if l.flags&Expire == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.over(now) })
}

func (e *Entry) over(now time.Time) bool { return !e.Until.IsZero() && !now.Before(e.Until) }

// Match gives the first rule that keeps a request from an end point, and whether
// there is one. text gives the message, nil is none.
func (l *List) Match(to reactor.EndPoint, text func() []byte, now time.Time) (Entry, bool) {
	for _, e := range *l.entries.Load() {
		if !e.over(now) && e.matches(to, text) {
			return e, true
		}
	}
	return Entry{}, false
}

// Add puts a rule in, for a while or, with 0, forever. One that is there already
// gets the new time.
func (l *List) Add(r Rule, lifetime time.Duration, now time.Time) error {
	switch {
	case l.flags&ReadOnly != 0:
		return ErrReadOnly
	case lifetime > 0 && l.flags&Expire == 0:
		return ErrNoExpiry
	}
	e := Entry{Rule: r}
	if lifetime > 0 {
		e.Until = now.Add(lifetime)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.without(r, now)
	if len(rest) >= MaxRules {
		return ErrFull
	}
	rest = append(rest, e)
	l.entries.Store(&rest)
	return nil
}

// Remove takes a rule out.
func (l *List) Remove(r Rule, now time.Time) error {
	if l.flags&ReadOnly != 0 {
		return ErrReadOnly
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.without(r, now)
	if len(rest) == len(l.Entries(now)) {
		return ErrNoRule
	}
	l.entries.Store(&rest)
	return nil
}

// Replace puts other rules in the place of all, for whoever owns the list: it may
// be ReadOnly to others.
func (l *List) Replace(rules []Rule) error {
	if len(rules) > MaxRules {
		return ErrFull
	}
	entries := make([]Entry, len(rules))
	for i, r := range rules {
		entries[i].Rule = r
	}
	l.mu.Lock()
	l.entries.Store(&entries)
	l.mu.Unlock()
	return nil
}

// learn takes over what a list of an older configuration has learned, as far as this
// one may.
func (l *List) learn(old *List) {
	if l.flags&ReadOnly != 0 || l.owner != old.owner {
		return
	}
	all := slices.Clone(*l.entries.Load())
	for _, e := range *old.entries.Load() {
		lasts := e.Until.IsZero() || l.flags&Expire != 0
		if lasts && len(all) < MaxRules && !slices.Contains(old.given, e.Rule) && !slices.Contains(l.given, e.Rule) {
			all = append(all, e)
		}
	}
	l.entries.Store(&all)
}

// without gives a copy without a rule and what has expired. The lock is held.
func (l *List) without(r Rule, now time.Time) []Entry {
	return slices.DeleteFunc(slices.Clone(*l.entries.Load()), func(e Entry) bool { return e.Rule == r || e.over(now) })
}
