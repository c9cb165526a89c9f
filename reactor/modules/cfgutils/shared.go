package cfgutils

import (
	"errors"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// value is a number or a text.
type value struct {
	text   string
	n      int64
	isText bool
}

// String writes a value.
func (v value) String() string {
	if v.isText {
		return v.text
	}
	return strconv.FormatInt(v.n, 10)
}

var errSet = errors.New("is name=i:number or name=s:text")

// parseSet reads what shvset and varset take.
func parseSet(s string) (name string, v value, err error) {
	name, rest, ok := strings.Cut(s, "=")
	typ, text, also := strings.Cut(rest, ":")
	if !ok || !also || name == "" {
		return "", v, errSet
	}
	switch typ {
	case "s":
		return name, value{text: text, isText: true}, nil
	case "i":
		v.n, err = strconv.ParseInt(text, 10, 64)
		if err == nil {
			return name, v, nil
		}
	}
	return "", v, errSet
}

// shared are the values of $shv(name), which all messages see. The names are those of
// the configuration, so they are few.
type shared struct {
	mu     sync.RWMutex
	values map[string]value
}

func (s *shared) get(name string) value {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.values[name] // 0 from the start
}

func (s *shared) has(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.values[name]
	return ok
}

func (s *shared) set(name string, v value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = make(map[string]value)
	}
	s.values[name] = v
}

func (s *shared) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]string, 0, len(s.values))
	for name := range s.values {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// longestLock is how long a message waits for a lock.
const longestLock = 10 * time.Second

// lock is one that a script takes and gives back, not always the same goroutine.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

// try takes the lock if nobody has it.
func (l lock) try() bool {
	select {
	case l <- struct{}{}:
		return true
	default:
		return false
	}
}

// take waits for the lock, as long as it may.
func (l lock) take(longest time.Duration) bool {
	clock := time.NewTimer(longest)
	defer clock.Stop()
	select {
	case l <- struct{}{}:
		return true
	case <-clock.C:
		return false
	}
}

// release gives the lock back; nothing happens if nobody has it.
func (l lock) release() {
	select {
	case <-l:
	default:
	}
}

// locks are the dynamic ones: keys that hash alike share one.
type locks struct {
	seed maphash.Seed
	list []lock
}

func newLocks(n int) *locks {
	k := &locks{seed: maphash.MakeSeed()}
	for range n {
		k.list = append(k.list, newLock())
	}
	return k
}

func (k *locks) index(key []byte) int { return int(maphash.Bytes(k.seed, key) % uint64(len(k.list))) }

func (k *locks) of(key []byte) lock { return k.list[k.index(key)] }

// brokenDown gives an attribute of $ctime(name); false if there is none of the name.
func brokenDown(t time.Time, name string) (n int, ok bool) {
	switch name {
	case "sec":
		n = t.Second()
	case "min":
		n = t.Minute()
	case "hour":
		n = t.Hour()
	case "mday":
		n = t.Day()
	case "mon":
		n = int(t.Month())
	case "year":
		n = t.Year()
	case "wday":
		n = int(t.Weekday()) + 1
	case "yday":
		n = t.YearDay()
	case "isdst":
		if t.IsDST() {
			n = 1
		}
	default:
		return 0, false
	}
	return n, true
}
