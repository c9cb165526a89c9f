package statistics

import "sipreactor/reactor/script"

// iterators are those that stat_iter_init() has begun: map[string]*iterator, by their
// names, of the message that is handled.
type iterators struct{ begun *script.Local }

// iterator is what is left of the statistics of a group, as they were when it began.
type iterator struct{ left []figure }

type figure struct {
	name  string
	value uint64
}

func (i *iterators) begin(a *script.Args) script.Action {
	group, name, at := a.Text(0), a.Text(1), a.Site()
	return func(x *script.Machine) int {
		of, ok := group(x)
		is, named := name(x)
		if !ok || !named {
			return x.Fail(at, "the group or the iterator is null")
		}
		all, _ := i.begun.Get(x).(map[string]*iterator)
		if all == nil {
			all = map[string]*iterator{}
			i.begun.Set(x, all)
		}
		fresh := &iterator{}
		x.StatisticsOf(string(of), func(name string, n uint64) { fresh.left = append(fresh.left, figure{name, n}) })
		all[string(is)] = fresh
		return 1
	}
}

func (i *iterators) next(a *script.Args) script.Action {
	name, value, of, at := a.Setter(0), a.Setter(1), a.Text(2), a.Site()
	return func(x *script.Machine) int {
		is, _ := of(x)
		all, _ := i.begun.Get(x).(map[string]*iterator)
		one := all[string(is)]
		switch {
		case one == nil:
			return x.Fail(at, "stat_iter_init() has begun no iterator of that name")
		case len(one.left) == 0:
			return -1
		}
		f := one.left[0]
		one.left = one.left[1:]
		name(x, script.Text(x.KeepString(f.name)))
		value(x, script.Int(int64(f.value)))
		return 1
	}
}
