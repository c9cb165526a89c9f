package location

import (
	"errors"
	"maps"
)

// keys are what is kept with an address of record, by name.
type keys map[string]string

// Bounds of the keys of an address.
const (
	maxKeys = 64
	maxKey  = 1 << 14 // bytes of a name and its value
)

// Errors of SetKey.
var (
	// ErrNoRecord: the address has no contacts.
	ErrNoRecord = errors.New("location: the address has no contacts")
	// ErrKeys: the address would have more than 64 keys, or one of more than 16 kB.
	ErrKeys = errors.New("location: the address has too many keys, or one that is too long")
)

// SetKey keeps a text with an address of record, until its last contact goes; "" removes it.
func (t *Table) SetKey(aor []byte, name, value string) error {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[string(aor)]
	if r == nil {
		return ErrNoRecord
	}
	have := s.keys[r.aor]
	if value == "" {
		if delete(have, name); len(have) == 0 {
			delete(s.keys, r.aor)
		}
		return nil
	}
	if _, is := have[name]; len(name)+len(value) > maxKey || !is && len(have) == maxKeys {
		return ErrKeys
	}
	if have == nil {
		if s.keys == nil {
			s.keys = make(map[string]keys)
		}
		have = make(keys)
		s.keys[r.aor] = have
	}
	have[name] = value
	return nil
}

// Key returns what SetKey keeps with an address of record; "" is nothing.
func (t *Table) Key(aor []byte, name string) string {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[string(aor)][name]
}

// Keys returns all that SetKey keeps with an address of record.
func (t *Table) Keys(aor []byte) map[string]string {
	s := t.shard(aor)
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.keys[string(aor)])
}
