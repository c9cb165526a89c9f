package script

import (
	"bytes"
	"slices"
	"strconv"

	"sipreactor/reactor/proxy"
)

// serialAVP is the AVP that keeps the branches for serial forking, the next one on
// top. A value is the lines of serialized.
const serialAVP = "serial_branch"

// serialFunctions turn branches that would be tried at once into ones that are tried
// one after the other, or, with equal q, group after group (RFC 3261 16.6).
func serialFunctions() map[string]*Function {
	return map[string]*Function{
		"serialize_branches": {Usage: "serialize_branches(clear_previous[, keep_order])", Args: []ArgKind{IntArg, IntArg}, Min: 1, Routes: Requests, Build: func(a *Args) Action {
			k := a.k
			slot, wipe, order := k.avp(serialAVP), a.list[0], a.list[1]
			return func(m *Machine) int {
				n, ok := wipe.num(m)
				var keep int64
				if ok && order.given {
					keep, ok = order.num(m)
				}
				if !ok {
					return m.Fail(a.at, "an argument is no number")
				}
				if n != 0 {
					m.avps[slot] = m.avps[slot][:0]
				}
				return m.serialize(a.at, slot, keep != 0)
			}
		}},
		"next_branches": {Usage: "next_branches()", Routes: Requests, Build: func(a *Args) Action {
			k := a.k
			slot := k.avp(serialAVP)
			return func(m *Machine) int { return m.nextBranches(a.at, slot) }
		}},
	}
}

// serialize moves all branches into the AVP, the one of the Request-URI with them:
// the highest q on top, those without one as 0. With equal q everywhere they stay
// parallel, unless order asks for one after the other as they stand.
func (m *Machine) serialize(at *Site, slot int, order bool) int {
	n := m.c.Branches()
	same := true
	for i := 1; i < n; i++ {
		same = same && m.c.Branch(i).Q() == m.c.Branch(0).Q()
	}
	if n == 1 || same && !order {
		return 1
	}
	if len(m.avps[slot])+n > maxAVPs {
		return m.Fail(at, "an AVP has too many values")
	}
	var ranks [proxy.MaxBranches]int
	list := ranks[:n]
	for i := range list {
		list[i] = i
	}
	if !order {
		slices.SortStableFunc(list, func(a, b int) int { return m.c.Branch(b).Q() - m.c.Branch(a).Q() })
	}
	for step := n - 1; step >= 0; step-- { // the last one first, as the newest is on top
		group := m.c.Branch(list[step]).Q()
		if order {
			group = 1000 + step // each is alone
		}
		m.avps[slot] = append(m.avps[slot], Text(m.serialized(list[step], group)))
	}
	m.c.ClearBranches()
	return 1
}

// nextBranches makes the topmost group of the AVP the branches of the request: 1
// when others are left, 2 when none is, -1 when there was none.
func (m *Machine) nextBranches(at *Site, slot int) int {
	list := m.avps[slot]
	if len(list) == 0 {
		return -1
	}
	m.c.ClearBranches()
	group, first := []byte(nil), true
	for len(list) > 0 {
		text := list[len(list)-1].s
		of, rest, _ := bytes.Cut(text, []byte{'\n'})
		if !first && !bytes.Equal(of, group) || m.c.Branches() == proxy.MaxBranches {
			break
		}
		b := m.c.Branch(0)
		if !first {
			added, err := m.c.AppendBranch(m.c.RequestURI(), false)
			if err != nil {
				return m.Reported(at, err)
			}
			b = added
		}
		list = list[:len(list)-1]
		m.avps[slot] = list
		if err := m.restore(b, rest); err != nil {
			return m.Fail(at, "a value of $avp("+serialAVP+") is no branch: "+err.Error())
		}
		group, first = of, false
	}
	if len(list) > 0 {
		return 1
	}
	return 2
}

// serialized writes a branch as lines: its group, q, URI, destination URI, Path,
// socket and flags, and one for each attribute, a number or a text behind its name.
func (m *Machine) serialized(i, group int) []byte {
	b := m.c.Branch(i)
	var socket []byte
	if s := b.Socket(); s != nil {
		socket = m.socketText(s.Addr, s.Proto).s
	}
	from := len(m.arena)
	w := strconv.AppendInt(m.arena, int64(group), 10)
	w = strconv.AppendInt(append(w, '\n'), int64(b.Q()), 10)
	w = append(append(w, '\n'), m.c.BranchURI(i)...)
	w = append(append(w, '\n'), b.DestURI()...)
	w = append(append(w, '\n'), b.Path()...)
	w = append(append(w, '\n'), socket...)
	w = strconv.AppendUint(append(w, '\n'), b.Flags(), 10)
	for _, a := range b.Attrs() {
		w = append(append(w, '\n'), a.Name...)
		if a.IsText {
			w = strconv.AppendQuote(append(w, '='), string(a.Text))
		} else {
			w = strconv.AppendInt(append(w, '='), a.Number, 10)
		}
	}
	m.arena = w
	return w[from:len(w):len(w)]
}

// restore reads what serialized wrote behind the group.
func (m *Machine) restore(b *proxy.Branch, text []byte) error {
	line := func() (l []byte) {
		l, text, _ = bytes.Cut(text, []byte{'\n'})
		return l
	}
	q, _ := number64(line())
	b.SetQ(int(q))
	if err := b.SetURI(line()); err != nil {
		return err
	}
	if err := b.SetDestURI(line()); err != nil {
		return err
	}
	if err := b.SetPath(line()); err != nil {
		return err
	}
	b.SetSocket(m.socketNamed(line()))
	flags, _ := strconv.ParseUint(string(line()), 10, 64)
	b.SetFlags(flags)
	b.ClearAttrs()
	for len(text) > 0 {
		name, val, _ := bytes.Cut(line(), []byte{'='})
		a := proxy.Attr{Name: string(name)}
		if n, ok := number64(val); ok {
			a.Number = n
		} else if s, err := strconv.Unquote(string(val)); err == nil {
			a.Text, a.IsText = []byte(s), true
		}
		b.SetAttr(a)
	}
	return nil
}
