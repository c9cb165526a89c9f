package clusterer

import (
	"fmt"
	"strings"
	"sync"

	"sipreactor/reactor/script"
)

// tag is the name of a sharing tag, of a cluster.
type tag struct {
	name    string
	cluster int64
}

// parseTag reads name/cluster.
func parseTag(text string) (tag, error) {
	name, cluster, ok := strings.Cut(text, "/")
	id, err := positive(strings.TrimSpace(cluster))
	if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
		return tag{}, fmt.Errorf("is no tag, as vip1/2: %q", text)
	}
	return tag{name, id}, nil
}

// tags are the sharing tags, and whether this node is the active one. As it is alone, that
// is what the configuration and the operator say.
type tags struct {
	mu     sync.Mutex
	order  []tag
	active map[tag]bool
}

// get reports whether there is a tag, and whether it is active.
func (t *tags) get(name tag) (active, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	active, known = t.active[name]
	return active, known
}

// set changes a tag, and makes one that is not there. It reports whether that changes something.
func (t *tags) set(name tag, active bool) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, known := t.active[name]
	if !known {
		if len(t.order) >= maxTags {
			return false
		}
		t.order = append(t.order, name)
	}
	t.active[name] = active
	return !known || was != active
}

// maxTags bounds the tags, which a script can name.
const maxTags = 1000

func stateName(active bool) string {
	if active {
		return "active"
	}
	return "backup"
}

// setTag changes a tag, and tells of that.
func (m *module) setTag(name tag, active bool) {
	if !m.tags.set(name, active) {
		return
	}
	m.env.Log.Info("clusterer: a sharing tag has changed", "tag", name.name, "cluster", name.cluster, "state", stateName(active))
	m.env.Raise(eventTag, script.TextParam("tag", name.name), script.NumberParam("cluster_id", name.cluster), script.TextParam("state", stateName(active)))
}

func (m *module) variable() script.Variable {
	read := func(u *script.Use) func(x *script.Machine) (tag, bool) {
		if text, ok := u.Fixed(); ok {
			t, err := parseTag(text)
			if err != nil {
				u.Errorf("the name of $cluster.sh_tag() %v", err)
				return nil
			}
			return func(*script.Machine) (tag, bool) { return t, true }
		}
		name := u.Inner()
		return func(x *script.Machine) (tag, bool) {
			t, err := parseTag(string(name(x)))
			return t, err == nil
		}
	}
	return script.Variable{
		Name: "cluster.sh_tag", Inner: script.AnyInner, Free: true, Help: "State of a sharing tag, name/cluster: active or backup; NULL if there is none. It can be made active only.",
		Get: func(u *script.Use) script.Getter {
			name := read(u)
			if name == nil {
				return nil
			}
			return func(x *script.Machine, _ int) script.Value {
				t, ok := name(x)
				active, known := m.tags.get(t)
				if !ok || !known {
					return script.Value{}
				}
				return script.Text(x.KeepString(stateName(active)))
			}
		},
		Set: func(u *script.Use) script.Setter {
			name, at := read(u), u.Site()
			if name == nil {
				return nil
			}
			return func(x *script.Machine, v script.Value) int {
				t, ok := name(x)
				if n, number := v.Int(); !ok || string(x.Text(v)) != "active" && !(number && n == 1) {
					return x.Fail(at, "a sharing tag can be made active only")
				}
				m.setTag(t, true)
				return 1
			}
		},
	}
}
