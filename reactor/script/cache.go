package script

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Cache is keys with values that cache_store() and its kind act on. Any goroutine may
// use it, and its methods may block unless it is a LocalCache.
type Cache interface {
	// Get gives the value of a key; false if there is none.
	Get(key string) (value string, ok bool, err error)
	// Set gives a key a value, which lives as long as ttl says; 0 is for ever.
	Set(key, value string, ttl time.Duration) error
	// Remove takes a key away, if it is there.
	Remove(key string) error
	// Add counts a key up, or down, and gives what that comes to. One that is not there
	// counts from 0. A ttl above 0 is its new time to live.
	Add(key string, n int64, ttl time.Duration) (sum int64, err error)
	// Raw runs a query of the backend's own language, and gives the rows of its answer:
	// strings, int64 and nil.
	Raw(query string) (rows [][]any, err error)
}

// LocalCache is a Cache that never blocks.
type LocalCache interface {
	Cache
	Local()
}

// AddCache has scripts reach a cache by an id: "local", "redis:group". A module does
// that in its Check. The last one of an id counts.
func (c *Config) AddCache(id string, cache Cache) {
	if c.caches == nil {
		c.caches = make(map[string]Cache)
	}
	c.caches[id] = cache
}

// Cache returns the cache of an id, for modules that have a cachedb_url; nil if there is
// none.
func (c *Config) Cache(id string) Cache { return c.caches[id] }

// useCache has f act on a cache, as a wait if it may block. It reports false where one
// more may not wait.
func (m *Machine) useCache(c Cache, f func()) bool {
	if _, ok := c.(LocalCache); ok {
		f()
		return true
	}
	return m.Wait(f)
}

// cacheFunctions are those of the key-value interface.
func cacheFunctions() map[string]*Function {
	fs := map[string]*Function{
		"cache_store": {Usage: `cache_store("id", "key", "value"[, seconds])`, Args: []ArgKind{TextArg, TextArg, TextArg, IntArg}, Min: 3, Routes: Anywhere,
			Build: cacheCall(func(m *Machine, at *Site, c Cache, key string, a *Args) int {
				value, ok := a.list[2].text(m)
				ttl, good := a.seconds(m, 3)
				if !ok || !good {
					return m.Fail(at, "the value is NULL, or the time is none")
				}
				text := string(value)
				return m.cacheAct(at, c, func() error { return c.Set(key, text, ttl) })
			})},
		"cache_remove": {Usage: `cache_remove("id", "key")`, Args: []ArgKind{TextArg, TextArg}, Min: 2, Routes: Anywhere,
			Build: cacheCall(func(m *Machine, at *Site, c Cache, key string, _ *Args) int {
				return m.cacheAct(at, c, func() error { return c.Remove(key) })
			})},
		"cache_fetch": {Usage: `cache_fetch("id", "key", $var(value))`, Args: []ArgKind{TextArg, TextArg, SetArg}, Min: 3, Routes: Anywhere,
			Build: cacheCall(func(m *Machine, at *Site, c Cache, key string, a *Args) int {
				value, found, ret := m.cacheGet(at, c, key)
				if !found {
					return ret
				}
				return a.list[2].set(m, Text(m.KeepString(value)))
			})},
		"cache_counter_fetch": {Usage: `cache_counter_fetch("id", "key", $var(value))`, Args: []ArgKind{TextArg, TextArg, SetArg}, Min: 3, Routes: Anywhere,
			Build: cacheCall(func(m *Machine, at *Site, c Cache, key string, a *Args) int {
				value, found, ret := m.cacheGet(at, c, key)
				if !found {
					return ret
				}
				n, ok := number64([]byte(value))
				if !ok {
					return m.Fail(at, "the value is no number")
				}
				return a.list[2].set(m, Int(n))
			})},
		"cache_raw_query": {Usage: `cache_raw_query("id", "query"[, "$avp(a);$avp(b)"])`, Args: []ArgKind{TextArg, TextArg, FixedArg}, Min: 2, Routes: Anywhere, Build: buildRawQuery},
	}
	for name, sign := range map[string]int64{"cache_add": 1, "cache_sub": -1} {
		fs[name] = &Function{Usage: name + `("id", "key", number, seconds[, $var(sum)])`, Args: []ArgKind{TextArg, TextArg, IntArg, IntArg, SetArg}, Min: 4, Routes: Anywhere,
			Build: cacheCall(func(m *Machine, at *Site, c Cache, key string, a *Args) int {
				n, ok := a.list[2].num(m)
				ttl, good := a.seconds(m, 3)
				if !ok || !good {
					return m.Fail(at, "the number or the time is none")
				}
				var sum int64
				ret := m.cacheAct(at, c, func() (err error) {
					sum, err = c.Add(key, sign*n, ttl)
					return err
				})
				if ret > 0 && a.list[4].given {
					return a.list[4].set(m, Int(sum))
				}
				return ret
			})}
	}
	for _, f := range fs {
		f.Async = true
	}
	return fs
}

// seconds gives an argument that is a time, 0 if it was left out.
func (a *Args) seconds(m *Machine, i int) (time.Duration, bool) {
	if !a.list[i].given {
		return 0, true
	}
	n, ok := a.list[i].num(m)
	return time.Duration(n) * time.Second, ok && n >= 0 && n <= 1<<31
}

// cacheCall makes a function of a cache and a key.
func cacheCall(do func(m *Machine, at *Site, c Cache, key string, a *Args) int) func(a *Args) Action {
	return func(a *Args) Action {
		of := a.cache()
		if of == nil {
			return nil
		}
		key, at := a.list[1].text, a.at
		return func(m *Machine) int {
			c := of(m)
			if c == nil {
				return -1
			}
			b, ok := key(m)
			if !ok {
				return m.Fail(at, "the key is NULL")
			}
			return do(m, at, c, string(b), a)
		}
	}
}

// cache compiles the argument that names a cache: a constant one is looked up now.
func (a *Args) cache() func(m *Machine) Cache {
	id, caches := a.list[0], a.k.Config.caches
	known := slices.Sorted(maps.Keys(caches))
	if id.fixed {
		c := caches[id.str]
		if c == nil && !a.k.partial {
			if len(known) == 0 {
				a.Errorf(0, `there is no cache %s: a module such as cachedb_local has it, by loadmodule "cachedb_local.so"`, clip(id.str))
			} else {
				a.Errorf(0, "there is no cache %s%s", clip(id.str), choices(id.str, known))
			}
			return nil
		}
		return func(*Machine) Cache { return c }
	}
	at := a.at
	return func(m *Machine) Cache {
		b, _ := id.text(m)
		c := caches[string(b)]
		if c == nil {
			m.Fail(at, "there is no cache "+clip(string(b)))
		}
		return c
	}
}

// cacheAct does something to a cache and gives the code.
func (m *Machine) cacheAct(at *Site, c Cache, f func() error) int {
	var err error
	switch {
	case !m.useCache(c, func() { err = f() }):
		at.say(m, LevelWarn, "script: "+at.what+": too many messages wait")
		return -1
	case err != nil:
		at.say(m, LevelError, "script: "+at.what+" failed", "error", err)
		return -1
	default:
		return 1
	}
}

// cacheGet gives the value of a key. ret is the code where it was not found: -2 there is
// none, -1 it could not be asked.
func (m *Machine) cacheGet(at *Site, c Cache, key string) (value string, found bool, ret int) {
	ret = m.cacheAct(at, c, func() (err error) {
		value, found, err = c.Get(key)
		return err
	})
	if ret > 0 && !found {
		ret = -2
	}
	return value, found, ret
}

// maxRows bounds the rows of a raw query that go into AVPs.
const maxRows = maxAVPs

// buildRawQuery makes cache_raw_query(), whose rows go into AVPs, a column each.
func buildRawQuery(a *Args) Action {
	of := a.cache()
	if of == nil {
		return nil
	}
	var columns []*AVP
	if a.list[2].given {
		for name := range strings.SplitSeq(a.list[2].str, ";") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			rest, ok := strings.CutPrefix(name, "$avp(")
			rest, closed := strings.CutSuffix(rest, ")")
			if !ok || !closed || rest == "" || strings.ContainsAny(rest, "$() ") {
				a.Errorf(2, "found %s, expected AVPs joined by semicolons, $avp(a);$avp(b)", clip(name))
				return nil
			}
			columns = append(columns, &AVP{a.k.avp(rest)})
		}
	}
	query, at := a.list[1].text, a.at
	return func(m *Machine) int {
		c := of(m)
		if c == nil {
			return -1
		}
		b, ok := query(m)
		if !ok {
			return m.Fail(at, "the query is NULL")
		}
		text := string(b)
		var rows [][]any
		ret := m.cacheAct(at, c, func() (err error) {
			rows, err = c.Raw(text)
			return err
		})
		if ret < 0 {
			return ret
		}
		for i, column := range columns {
			for _, row := range rows[:min(len(rows), maxRows)] {
				if i < len(row) {
					column.Append(m, m.answer(row[i]))
				}
			}
		}
		return 1
	}
}

// answer makes a value of what a cache gave.
func (m *Machine) answer(v any) Value {
	switch v := v.(type) {
	case int64:
		return Int(v)
	case string:
		return Text(m.KeepString(v))
	default:
		return Text(nil) // an AVP holds no NULL
	}
}
