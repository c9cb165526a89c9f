package cachedb_local

import (
	"context"
	"errors"
	"strings"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
)

// defaultName is that of the collection that is always there.
const defaultName = "default"

type module struct {
	collections map[string]*collection
	urls        []url
	clean       time.Duration
}

// url is an id of scripts and the collection that it means.
type url struct {
	id, collection string
	at             script.Pos
}

// cache is a collection as scripts have it.
type cache struct{ c *collection }

func (c cache) Get(key string) (string, bool, error) {
	v, ok := c.c.get([]byte(key))
	return v, ok, nil
}

func (c cache) Set(key, value string, ttl time.Duration) error {
	return c.c.set([]byte(key), []byte(value), ttl)
}

func (c cache) Remove(key string) error {
	c.c.remove([]byte(key))
	return nil
}

func (c cache) Add(key string, n int64, ttl time.Duration) (int64, error) {
	return c.c.add([]byte(key), n, ttl)
}

func (c cache) Raw(string) ([][]any, error) {
	return nil, errors.New("cachedb_local has no language of its own")
}

// Local marks it as one that never blocks.
func (c cache) Local() {}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{collections: map[string]*collection{defaultName: newCollection()}, clean: 10 * time.Minute}
	return &script.Module{
		Name:     "cachedb_local",
		Help:     "Keeps keys and values in memory for cache_store() and its kind.",
		Instance: m,
		Parameters: []script.Parameter{
			{Name: "cachedb_url", Type: script.StringParam, Default: "local://", Help: `The id by which scripts reach a collection: local:group:///collection.`, Set: m.setURL},
			{Name: "cache_collections", Type: script.StringParam, Default: "default", Help: "The collections, joined by semicolons.", Set: m.setCollections},
			{Name: "cache_clean_period", Type: script.IntParam, Min: 1, Max: 1 << 30, Unit: "seconds", Default: "600", Help: "How often expired values are taken away.", Set: script.Seconds(&m.clean)},
			{Name: "cache_table_size", Type: script.IntParam, Help: "Of before OpenSIPS 2: the size of a hash table.", Note: "tables grow by themselves"},
			{Name: "cluster_id", Type: script.IntParam, Help: "Replicates collections in a cluster.", Set: func(v script.Literal) error {
				if v.Int != 0 {
					return errors.New("is not supported: there is no replication of collections")
				}
				return nil
			}},
			{Name: "cluster_persistency", Type: script.StringParam, Help: "How a cluster brings the values back.", Note: "there is no replication of collections"},
			{Name: "enable_restart_persistency", Type: script.BoolParam, Default: "0", Help: "Keeps values over a restart.", Set: func(v script.Literal) error {
				if v.Int != 0 {
					return errors.New("is not supported: a collection ends with the program")
				}
				return nil
			}},
		},
		Functions: []script.Function{{
			Name: "cache_remove_chunk", Usage: `cache_remove_chunk(["collection",] "pattern")`, Help: "Removes the keys that match a shell pattern.",
			Args: []script.ArgKind{script.TextArg, script.TextArg}, Min: 1, Routes: script.Anywhere, Build: m.removeChunk,
		}},
		Commands: []rpc.Command{
			{Name: "cache_remove_chunk", Aliases: []string{"cachedb_local:remove_chunk"}, Help: "Removes the keys that match a shell pattern.",
				Params: []rpc.Param{{Name: "glob"}, {Name: "collection", Optional: true}}, Func: m.removeCommand},
			{Name: "cache_fetch_chunk", Aliases: []string{"cachedb_local:fetch_chunk"}, Help: "Lists the keys that match a shell pattern, with their values.",
				Params: []rpc.Param{{Name: "glob"}, {Name: "collection", Optional: true}}, Func: m.fetchCommand},
		},
		Statistics: []script.Statistic{{Name: "entries", Help: "Keys in all collections.", Gauge: true, Value: m.entries}},
		Check:      m.check,
		Start: func(e *script.Env) error {
			if old, ok := e.Previous.(*module); ok {
				m.inherit(old)
			}
			e.Every(m.clean, func(context.Context) {
				for _, c := range m.collections {
					c.clean()
				}
			})
			return nil
		},
	}
}

// setURL reads local:group:///collection.
func (m *module) setURL(v script.Literal) error {
	id, rest, ok := strings.Cut(v.Text, "://")
	scheme, group, grouped := strings.Cut(id, ":")
	if !ok || scheme != "local" || grouped && group == "" {
		return errors.New("is local://, local:///collection or local:group:///collection")
	}
	name := strings.Trim(rest, "/")
	if name == "" {
		name = defaultName
	}
	m.urls = append(m.urls, url{id, name, v.At})
	return nil
}

// setCollections reads name=size;name/r: the size is how the table begins there.
func (m *module) setCollections(v script.Literal) error {
	for one := range strings.SplitSeq(v.Text, ";") {
		name, _, _ := strings.Cut(one, "=")
		name, flag, replicated := strings.Cut(strings.TrimSpace(name), "/")
		switch {
		case name == "":
			continue
		case replicated:
			return errors.New("has the flag /" + flag + " of " + name + ": there is no replication of collections")
		case m.collections[name] == nil:
			m.collections[name] = newCollection()
		}
	}
	return nil
}

func (m *module) check(l *script.Loading) {
	if len(m.urls) == 0 {
		m.urls = []url{{id: "local", collection: defaultName}}
	}
	for _, u := range m.urls {
		c := m.collections[u.collection]
		if c == nil {
			l.Errorf(u.at, `there is no collection %s: modparam("cachedb_local", "cache_collections", "%s")`, u.collection, u.collection)
			continue
		}
		l.Config.AddCache(u.id, cache{c})
	}
}

// inherit takes over the values of the configuration that is replaced. What the scripts of
// both have in their hands is the same collection's parts.
func (m *module) inherit(old *module) {
	for name, c := range m.collections {
		if was := old.collections[name]; was != nil {
			c.take(was)
		}
	}
}

func (m *module) entries() (n uint64) {
	for _, c := range m.collections {
		n += uint64(max(c.size.Load(), 0))
	}
	return n
}

func (m *module) removeChunk(a *script.Args) script.Action {
	first, second, two, at := a.Text(0), a.Text(1), a.Given(1), a.Site()
	return func(x *script.Machine) int {
		name, glob := []byte(defaultName), []byte(nil)
		b, ok := first(x)
		if glob = b; two && ok {
			name = b
			glob, ok = second(x)
		}
		c := m.collections[string(name)]
		switch {
		case !ok:
			return x.Fail(at, "an argument is NULL")
		case c == nil:
			return x.Fail(at, "there is no collection "+string(name))
		}
		c.removeGlob(string(glob))
		return 1
	}
}

func (m *module) of(a *rpc.Args) (*collection, error) {
	name := a.Text("collection")
	if name == "" {
		name = defaultName
	}
	if c := m.collections[name]; c != nil {
		return c, nil
	}
	return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Collection not found", Data: name}
}

func (m *module) removeCommand(_ context.Context, a *rpc.Args) (any, error) {
	c, err := m.of(a)
	if err != nil {
		return nil, err
	}
	c.removeGlob(a.Text("glob"))
	return "OK", nil
}

// maxListed bounds the keys of one answer.
const maxListed = 10000

func (m *module) fetchCommand(_ context.Context, a *rpc.Args) (any, error) {
	c, err := m.of(a)
	if err != nil {
		return nil, err
	}
	list := c.fetchGlob(a.Text("glob"), maxListed)
	if list == nil {
		list = []pair{}
	}
	return map[string]any{"keys": list}, nil
}
