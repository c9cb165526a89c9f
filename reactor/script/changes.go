package script

import (
	"fmt"
	"reflect"
	"slices"
)

// said is a parameter as a configuration sets it.
type said struct {
	module, name string // module is "" for a global one
	value        Literal
	restart      bool // a reload does not change it
}

func (c *settings) say(s said) { c.said = append(c.said, s) }

// reloadable are the global parameters that a reload changes: those of the routes and
// of the log.
var reloadable = map[string]bool{
	"log_level": true, "xlog_level": true, "xlog_print_level": true, "log_prefix": true,
	"max_while_loops": true, "enable_asserts": true, "debug_mode": true,
	"dst_blacklist": true, "disable_dns_blacklist": true,
}

// NeedRestart tells what of c, which replaces old while the program runs, a reload does
// not change: it counts from the next start on.
func (c *Config) NeedRestart(old *Config) (all []Note) {
	was := make(map[string][]Literal)
	for _, s := range old.said {
		was[s.module+"/"+s.name] = append(was[s.module+"/"+s.name], s.bare())
	}
	is := make(map[string][]Literal)
	for _, s := range c.said {
		is[s.module+"/"+s.name] = append(is[s.module+"/"+s.name], s.bare())
	}
	told := make(map[string]bool)
	for _, s := range append(slices.Clone(c.said), old.said...) {
		key := s.module + "/" + s.name
		if !s.restart || told[key] || slices.Equal(was[key], is[key]) {
			continue
		}
		told[key] = true
		what := s.name
		if s.module != "" {
			what += " of " + s.module
		}
		if is[key] == nil {
			all = append(all, Note{Msg: fmt.Sprintf("%s, which is not set any more, changes at a restart only", what)})
			continue
		}
		all = append(all, Note{Pos: s.value.At, Msg: fmt.Sprintf("%s changes at a restart only", what)})
	}
	if at, same := sameSockets(c, old); !same {
		all = append(all, Note{Pos: at, Msg: "sockets change at a restart only"})
	}
	for _, m := range c.modules {
		if m.AtStart && !slices.Contains(old.Modules, m.Name) {
			all = append(all, Note{Msg: fmt.Sprintf("the module %s begins to work at a restart only", m.Name)})
		}
	}
	return all
}

// bare is the value without its place.
func (s said) bare() Literal {
	v := s.value
	v.At = Pos{}
	return v
}

// sameSockets reports whether two configurations have the same sockets, and where the
// first other one is.
func sameSockets(c, old *Config) (at Pos, same bool) {
	bare := func(s SocketDecl) SocketDecl {
		s.Pos = Pos{}
		return s
	}
	for i := range c.Sockets {
		if i >= len(old.Sockets) || !reflect.DeepEqual(bare(c.Sockets[i]), bare(old.Sockets[i])) {
			return c.Sockets[i].Pos, false
		}
	}
	return Pos{}, len(c.Sockets) == len(old.Sockets)
}
