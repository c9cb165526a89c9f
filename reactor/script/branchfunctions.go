package script

import (
	"errors"

	"sipreactor/reactor/proxy"
)

var (
	errNoSocket = errors.New("there is no such socket")
	errNoQ      = errors.New("q is 0 to 1000, or a text from 0 to 1 with up to three digits behind the point")
	errNoFlag   = errors.New("there is no such branch flag")
)

// branchFunctions are those of the branches that a request forks to, by their names
// since 3.6 and by the older ones. Their indexes are those of the appended branches,
// from 0 on, as those of $branch(); without an index, or with a negative one, it is
// the branch of the Request-URI.
func branchFunctions() map[string]*Function {
	fs := map[string]*Function{
		"append_branch":     {Usage: `append_branch(["uri"][, "q"])`, Args: []ArgKind{TextArg, TextArg}, Routes: Requests, Build: buildAppendBranch},
		"append_msg_branch": {Usage: `append_msg_branch("uri"[, "q"[, "inherit"]])`, Args: []ArgKind{TextArg, TextArg, FixedArg}, Min: 1, Routes: Requests, Build: buildAppendBranch},
	}
	for _, name := range []string{"remove_branch", "remove_msg_branch"} {
		fs[name] = &Function{Usage: name + "(index)", Args: []ArgKind{IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			index := a.list[0].num
			return func(m *Machine) int {
				i, ok := index(m)
				return Yes(ok && 0 <= i && i < proxy.MaxBranches && m.c.RemoveBranch(int(i)+1))
			}
		}}
	}
	for _, name := range []string{"move_branch", "move_msg_branch"} {
		fs[name] = &Function{Usage: name + `([from][, [to][, "keep"]])`, Args: []ArgKind{IntArg, IntArg, FixedArg}, Routes: Requests, Build: func(a *Args) Action {
			k := a.k
			keep := a.list[2]
			if keep.given && keep.str != "keep" {
				k.rep.errorf(keep.expr.Pos(), `found %q, expected "keep"`, clip(keep.str))
				return nil
			}
			return twoBranches(a, func(m *Machine, i, j int) bool { return m.c.MoveBranch(i, j, keep.given) })
		}}
	}
	for _, name := range []string{"swap_branches", "swap_msg_branches"} {
		fs[name] = &Function{Usage: name + "([index][, index])", Args: []ArgKind{IntArg, IntArg}, Routes: Requests, Build: func(a *Args) Action {
			return twoBranches(a, func(m *Machine, i, j int) bool { return m.swapBranches(i, j) })
		}}
	}
	return fs
}

// buildAppendBranch makes both: append_branch() copies the branch of the
// Request-URI, append_msg_branch() only if it is told to.
func buildAppendBranch(a *Args) Action {
	k := a.k
	uri, q := a.list[0], a.list[1]
	inherit := a.call.Func == "append_branch"
	if len(a.list) > 2 && a.list[2].given {
		switch f := a.list[2]; f.str {
		case "inherit", "inherite": // as the documentation has it
			inherit = true
		default:
			k.rep.errorf(f.expr.Pos(), `%s() has the flag "inherit", not %q`, a.call.Func, clip(f.str))
			return nil
		}
	}
	if q.fixed {
		if _, ok := parseQ([]byte(q.str)); !ok && q.str != "" {
			k.rep.errorf(q.expr.Pos(), "q is 0 to 1 with up to three digits behind the point, not %s", clip(q.str))
			return nil
		}
	}
	return func(m *Machine) int {
		var to []byte
		if uri.given {
			var ok bool
			if to, ok = uri.text(m); !ok {
				return m.Fail(a.at, "the URI is NULL")
			}
		}
		b, err := m.c.AppendBranch(to, inherit)
		if err != nil {
			return m.Reported(a.at, err)
		}
		if text, ok := q.optional(m); ok && len(text) > 0 {
			n, valid := parseQ(text)
			if !valid {
				m.c.RemoveBranch(m.c.Branches() - 1)
				return m.Fail(a.at, errNoQ.Error())
			}
			b.SetQ(n)
		}
		return 1
	}
}

// optional gives the text of an argument that may be left out.
func (a *argument) optional(m *Machine) ([]byte, bool) {
	if !a.given {
		return nil, false
	}
	return a.text(m)
}

// twoBranches makes a function of two branches.
func twoBranches(a *Args, do func(m *Machine, i, j int) bool) Action {
	index := func(m *Machine, x *argument) (int, bool) {
		if !x.given {
			return 0, true
		}
		n, ok := x.num(m)
		switch {
		case !ok || n >= proxy.MaxBranches:
			return 0, false
		case n < 0:
			return 0, true
		default:
			return int(n) + 1, true
		}
	}
	return func(m *Machine) int {
		i, ok := index(m, &a.list[0])
		j, also := index(m, &a.list[1])
		return Yes(ok && also && do(m, i, j))
	}
}

// swapBranches exchanges two branches. The Request-URI that came becomes a URI like
// the others.
func (m *Machine) swapBranches(i, j int) bool {
	if first := m.c.Branch(0); len(first.URI()) == 0 {
		if first.SetURI(m.msg.RequestURI()) != nil {
			return false
		}
	}
	return m.c.SwapBranches(i, j)
}
