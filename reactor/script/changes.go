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

// works is what of configurations is at work in the program and does not change by a reload: that of the first one, and
// the parameters of modules that a reload has begun.
type works struct {
	said    []said
	sockets []SocketDecl
	modules []string // those that begin at the start of the program only
}

// settle tells what of c is at work once it has started in the place of previous; nil: it is the first.
func (c *Config) settle(previous *Config) {
	if previous == nil {
		c.works = works{c.said, c.Sockets, c.atStart()}
		return
	}
	c.works = previous.works
	c.works.said = slices.Clone(c.works.said)
	for _, m := range slices.Concat(c.modules, previous.modules) {
		if m.AtStart || m.Start == nil || slices.Contains(c.Modules, m.Name) == slices.Contains(previous.Modules, m.Name) {
			continue
		}
		// It has just begun and read its parameters, or has ended and has none.
		of := func(s said) bool { return s.module == m.Name }
		c.works.said = slices.DeleteFunc(c.works.said, of)
		c.works.said = append(c.works.said, slices.DeleteFunc(slices.Clone(c.said), func(s said) bool { return !of(s) })...)
	}
}

// NeedRestart tells what of c, which has started in the place of another configuration while the program runs, is not at
// work: a reload does not change it, so it counts from the next start on.
func (c *Config) NeedRestart() (all []Note) {
	was := make(map[string][]Literal)
	for _, s := range c.works.said {
		was[s.module+"/"+s.name] = append(was[s.module+"/"+s.name], s.bare())
	}
	is := make(map[string][]Literal)
	for _, s := range c.said {
		is[s.module+"/"+s.name] = append(is[s.module+"/"+s.name], s.bare())
	}
	told := make(map[string]bool)
	for _, s := range append(slices.Clone(c.said), c.works.said...) {
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
	if at, same := sameSockets(c.Sockets, c.works.sockets); !same {
		all = append(all, Note{Pos: at, Msg: "sockets change at a restart only"})
	}
	loaded := c.atStart()
	for _, name := range loaded {
		if !slices.Contains(c.works.modules, name) {
			all = append(all, Note{Pos: c.places[loadPlace+name], Msg: fmt.Sprintf("the module %s begins to work at a restart only", name)})
		}
	}
	for _, name := range c.works.modules {
		if !slices.Contains(loaded, name) {
			all = append(all, Note{Msg: fmt.Sprintf("the module %s, which is not loaded any more, works on until a restart", name)})
		}
	}
	return all
}

// atStart lists the modules that begin to work at the start of the program only.
func (c *Config) atStart() (names []string) {
	for _, m := range c.modules {
		if m.AtStart {
			names = append(names, m.Name)
		}
	}
	return names
}

// bare is the value without its place.
func (s said) bare() Literal {
	v := s.value
	v.At = Pos{}
	return v
}

// sameSockets reports whether the sockets of a file are those at work, and where the first other one is.
func sameSockets(is, was []SocketDecl) (at Pos, same bool) {
	bare := func(s SocketDecl) SocketDecl {
		s.Pos = Pos{}
		return s
	}
	for i := range is {
		if i >= len(was) || !reflect.DeepEqual(bare(is[i]), bare(was[i])) {
			return is[i].Pos, false
		}
	}
	return Pos{}, len(is) == len(was)
}
