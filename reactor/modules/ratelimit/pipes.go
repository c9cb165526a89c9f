package ratelimit

import (
	"path"
	"regexp"
	"slices"
	"sync"
	"time"

	"sipreactor/reactor/script"
)

// maxPipes bounds the pipes.
const maxPipes = 100000

// pipes are all pipes by name. Any goroutine may use it.
type pipes struct {
	settings
	system *load
	idle   time.Duration // expire_time
	now    func() time.Time

	mu      sync.RWMutex
	list    map[string]*pipe
	refused script.Count // for which there was no room
}

func newPipes() *pipes {
	return &pipes{
		settings: settings{interval: 10 * time.Second, window: 10 * time.Second, slot: 200 * time.Millisecond},
		system:   newLoad(), idle: time.Hour, now: time.Now, list: make(map[string]*pipe),
	}
}

func (s *pipes) get(name []byte) *pipe {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.list[string(name)]
}

// check counts a message in the pipe of a name, which is made if there is none, and
// reports whether it passes.
func (s *pipes) check(name []byte, limit int, algo algorithm) bool {
	p := s.get(name)
	if p == nil {
		if p = s.make(name, algo); p == nil {
			return true
		}
	}
	now := s.now()
	p.Lock()
	defer p.Unlock()
	return p.check(&s.settings, s.system, limit, now)
}

func (s *pipes) make(name []byte, algo algorithm) *pipe {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.list[string(name)]; p != nil {
		return p
	}
	if len(s.list) >= maxPipes {
		s.refused.Add(1)
		return nil
	}
	p := &pipe{algo: algo}
	s.list[string(name)] = p
	return p
}

// with calls f with the pipe of a name, locked. It reports false if there is none.
func (s *pipes) with(name []byte, f func(p *pipe)) bool {
	p := s.get(name)
	if p == nil {
		return false
	}
	p.Lock()
	defer p.Unlock()
	p.turn(&s.settings, s.now())
	f(p)
	return true
}

// clean forgets the pipes that nobody has used for long.
func (s *pipes) clean() {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.list {
		p.Lock()
		if now.Sub(p.last) > s.idle {
			delete(s.list, name)
		}
		p.Unlock()
	}
}

// names lists the pipes whose names match, all with nil.
func (s *pipes) names(re *regexp.Regexp) (list []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for name := range s.list {
		if re == nil || re.MatchString(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// listed is a pipe as the management interface has it.
type listed struct {
	ID        string  `json:"id"`
	Algorithm string  `json:"algorithm"`
	Limit     int     `json:"limit"`
	Counter   int     `json:"counter"`
	Last      int     `json:"last_counter"`
	Load      float64 `json:"load"`
	Slots     []int   `json:"slots,omitempty"`
}

// show lists the pipes that a shell pattern means, or with out those that it does not;
// "" are all.
func (s *pipes) show(glob string, out bool) []listed {
	all := []listed{}
	for _, name := range s.names(nil) {
		if ok, _ := path.Match(glob, name); glob != "" && ok == out {
			continue
		}
		if one, ok := s.one(name, false); ok {
			all = append(all, one)
		}
	}
	return all
}

// one gives one pipe, with its slots if asked.
func (s *pipes) one(name string, slots bool) (l listed, ok bool) {
	ok = s.with([]byte(name), func(p *pipe) {
		l = listed{name, p.algo.String(), p.limit, p.counter, p.before, p.load, nil}
		if slots {
			l.Slots = slices.Clone(p.slots)
		}
	})
	return l, ok
}
