package dispatcher

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"sipreactor/reactor/script"
)

// aim is what of the request a destination becomes.
type aim bool

const (
	toDestination aim = false // the destination URI
	toDomain      aim = true  // host and port of the Request-URI
)

// flags are those of ds_select_dst.
type flags struct {
	failover, userOnly, last, add bool
}

// parseFlags reads flags; bad is the first letter that is none.
func parseFlags(s []byte) (f flags, bad byte) {
	for _, c := range s {
		switch c {
		case 'f', 'F':
			f.failover = true
		case 'u', 'U':
			f.userOnly = true
		case 'd', 'D':
			f.last = true
		case 'a', 'A':
			f.add = true
		case ' ':
		default:
			return f, c
		}
	}
	return f, 0
}

// lists are where destinations are written to for one call.
var lists = sync.Pool{New: func() any { return new([]*Destination) }}

func (m *module) buildSelect(to aim) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		set, how, letters, part, most, at := a.Int(0), a.Int(1), a.Text(2), m.partitionArg(a, 3), a.Int(4), a.Site()
		if part == nil || !m.checkSelect(a) {
			return nil
		}
		return func(x *script.Machine) int {
			p := part(x)
			id, ok := set(x)
			alg, has := how(x)
			if p == nil {
				return -1
			}
			if !ok || !has {
				return x.Fail(at, "set and algorithm must be numbers")
			}
			b, _ := letters(x)
			f, bad := parseFlags(b)
			f.failover, f.userOnly, f.last = f.failover || m.older.failover, f.userOnly || m.older.userOnly, f.last || m.older.last
			if bad != 0 {
				return x.Fail(at, "there is no flag "+string(bad))
			}
			limit, ok := most(x)
			if !ok || limit <= 0 {
				limit = 1 << 20
			}
			c := choice{all: f.failover || f.add, most: int(limit), last: f.last, now: x.Now(), policy: &m.policy}
			c.key, c.how = m.keyFor(x, Algorithm(alg), f.userOnly)
			list := lists.Get().(*[]*Destination)
			defer lists.Put(list)
			*list = (*list)[:0]
			if s := p.get().Set(int(id)); s != nil {
				m.score(x, p, s, &c)
				*list = s.choose(*list, &c)
			}
			if len(*list) == 0 {
				m.failed.Add(1)
				return -1
			}
			m.chosen.Add(1)
			m.tracker.Follow(m.tm)
			(*list)[0].hits.Add(1)
			return p.give(x, (*list)[:min(int64(len(*list)), limit)], f, to, at)
		}
	}
}

// checkSelect checks what of a call is known at load.
func (m *module) checkSelect(a *script.Args) bool {
	if text, ok := a.Fixed(2); ok {
		if _, bad := parseFlags([]byte(text)); bad != 0 {
			a.Errorf(2, "there is no flag %q: f, u, d, a", bad)
			return false
		}
	}
	text, ok := a.Fixed(1)
	how, err := strconv.Atoi(text)
	if !ok || err != nil {
		return true
	}
	switch {
	case Algorithm(how) == HashVariables && m.hashPvar.Text == "":
		a.Errorf(1, "algorithm 7 hashes hash_pvar, which is not set")
		return false
	case Algorithm(how) == ByRoute && m.algoRoute.Text == "":
		a.Errorf(1, "algorithm 10 runs algo_route, which is not set")
		return false
	case Algorithm(how) == LeastLoad && m.pattern.Text == "":
		a.Notef(1, "algorithm 9 takes the first: pvar_algo_pattern is not set")
	case how < 0 || Algorithm(how) > ByRoute:
		a.Notef(1, "there is no algorithm %d: the first is taken", how)
	}
	return true
}

// give sends the request to the first of a list, and leaves the list for the next.
func (p *partition) give(x *script.Machine, list []*Destination, f flags, to aim, at *script.Site) int {
	add := f.add && p.dst.Len(x) > 0
	if !add {
		p.dst.Clear(x)
		p.sock.Clear(x)
		if ret := p.use(x, list[0], to, at); ret < 0 {
			return ret
		}
	}
	p.grp.Set(x, script.Int(int64(list[0].Row.Set)))
	if !f.failover && !add {
		p.cnt.Set(x, script.Int(0))
		return 1
	}
	for _, d := range list {
		if !p.dst.Append(x, script.Text(x.Keep(d.uri))) || !p.sock.Append(x, script.Text(x.KeepString(d.socket.String()))) {
			break
		}
	}
	p.cnt.Set(x, script.Int(int64(p.dst.Len(x))))
	return 1
}

// use sends the request to a destination.
func (p *partition) use(x *script.Machine, d *Destination, to aim, at *script.Site) int {
	c := x.Context()
	var err error
	if to == toDomain {
		if err = c.SetHostPort(d.hostPort()); err == nil && d.Address.Proto != 0 {
			err = c.SetURIParam(transportParam, []byte(d.Address.Proto.String())) // without it the call would go elsewhere
		}
	} else {
		err = c.SetDestURI(d.uri)
	}
	if err != nil {
		return x.Fail(at, err.Error())
	}
	if s := d.socket.Of(c); s != nil {
		c.SetSendSocket(s)
	}
	p.current.Set(x, script.Text(x.Keep(d.uri)))
	p.current.Add(x, script.Int(int64(d.Row.Set)))
	if p.attrs != nil {
		p.attrs.Set(x, script.Text(x.KeepString(d.Row.Attrs)))
	}
	if p.scriptAttrs != nil {
		p.scriptAttrs.Set(x, script.Text(x.KeepString(d.ScriptAttrs())))
	}
	return 1
}

var transportParam = []byte("transport")

// hostPort gives host and port of a destination's URI as they stand there.
func (d *Destination) hostPort() []byte {
	_, b, _ := bytes.Cut(d.uri, []byte{':'})
	if i := bytes.IndexByte(b, '@'); i >= 0 {
		b = b[i+1:]
	}
	if i := bytes.IndexAny(b, ";?>"); i >= 0 {
		b = b[:i]
	}
	return b
}

// chosen gives the destination that was chosen last for the request, nil if there is
// none any more.
func (p *partition) chosen(x *script.Machine) *Destination {
	set, ok := p.current.Get(x, 0).Int()
	if !ok {
		return nil
	}
	return p.get().Find(int(set), string(x.Text(p.current.Get(x, 1))))
}

func (m *module) buildNext(to aim) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		part, at := m.partitionArg(a, 0), a.Site()
		if part == nil {
			return nil
		}
		return func(x *script.Machine) int {
			p := part(x)
			if p == nil {
				return -1
			}
			set, ok := p.grp.Get(x, 0).Int()
			if !ok {
				return -1
			}
			t := p.get()
			for p.dst.Len(x) > 1 {
				p.dst.RemoveFirst(x)
				p.sock.RemoveFirst(x)
				uri := string(x.Text(p.dst.Get(x, 0)))
				d := t.Find(int(set), uri)
				if d == nil {
					d = t.anywhere(uri)
				}
				if d != nil && d.gone() {
					continue
				}
				if d != nil {
					return p.use(x, d, to, at)
				}
			}
			p.dst.Clear(x)
			p.sock.Clear(x)
			return -1
		}
	}
}

// checkPattern makes of pvar_algo_pattern a variable that asks for the load of the
// destination in two hidden AVPs.
func (m *module) checkPattern(l *script.Loading) {
	const uri, set = "__ds_load_uri", "__ds_load_set"
	v := m.pattern
	v.Text = strings.NewReplacer("%u", "$avp("+uri+")", "%i", "$avp("+set+")").Replace(v.Text)
	m.loadURI = l.AVP(script.Literal{At: v.At, Text: uri})
	m.loadSet = l.AVP(script.Literal{At: v.At, Text: set})
	m.load = l.Variable(v)
}

// score finds the loads of a set's members, for the algorithms that go by them.
func (m *module) score(x *script.Machine, p *partition, s *Set, c *choice) {
	switch {
	case c.how == LeastLoad && m.load != nil:
		for i, d := range s.Members {
			m.loadURI.Set(x, script.Text(x.Keep(d.uri)))
			m.loadSet.Set(x, script.Int(int64(s.ID)))
			n, _ := m.load(x).Int()
			c.scores = append(c.scores, score{i, n})
		}
	case c.how == ByRoute && m.route != nil:
		for i, d := range s.Members {
			ret := x.Call(m.route, script.Text(x.Keep(d.uri)), script.Text(x.KeepString(d.Row.Attrs)), script.Text(x.KeepString(d.ScriptAttrs())))
			if ret >= 0 {
				c.scores = append(c.scores, score{i, int64(ret)})
			}
		}
	case c.how == LeastLoad:
		c.how = First
	}
}
