package uac_redirect

import (
	"bytes"
	"slices"
	"strconv"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// contact is where a response sends the request.
type contact struct {
	uri []byte
	q   int // in thousandths
}

func (m *module) get(a *script.Args) script.Action {
	limits, at := a.Text(0), a.Site()
	if text, ok := a.Fixed(0); ok {
		if _, _, err := parseLimits(text); err != nil {
			a.Errorf(0, "found %q, expected %v", text, err)
			return nil
		}
	}
	if a.Given(1) {
		a.Notef(1, "redirects are not accounted one by one: the record of the call tells where it went")
	}
	return func(x *script.Machine) int {
		b, _ := limits(x)
		total, branch, err := parseLimits(string(b))
		if err != nil {
			return x.Reported(at, err)
		}
		e := transaction.Of(x.Context())
		if e == nil {
			return -1
		}
		list := m.contacts(x, e, total, branch)
		if len(list) == 0 {
			return -1
		}
		taken := 0
		c := x.Context()
		for _, one := range list {
			if taken == 0 {
				if c.SetRequestURI(one.uri) == nil && c.Branch(0).SetDestURI(nil) == nil {
					c.Branch(0).SetQ(one.q)
					taken++
				}
				continue
			}
			to, err := c.AppendBranch(one.uri, false)
			if err == proxy.ErrBranches {
				break
			}
			if err == nil {
				to.SetQ(one.q)
				taken++
			}
		}
		return script.Yes(taken > 0)
	}
}

// contacts gathers them from the branches of the last fork.
func (m *module) contacts(x *script.Machine, e *transaction.Exchange, total, branch int) (list []contact) {
	var before [][]byte
	for _, leg := range e.Legs() {
		before = append(before, leg.Set.URI())
	}
	known := func(uri []byte) bool {
		same := func(o []byte) bool { return bytes.Equal(o, uri) }
		return slices.ContainsFunc(before, same) || slices.ContainsFunc(list, func(o contact) bool { return same(o.uri) })
	}
	msg := new(sipframe.Message)
	for _, leg := range e.Fork() {
		text := leg.Response()
		if text == nil || msg.Parse(text) != nil || msg.StatusCode()/100 != 3 {
			continue
		}
		n := 0
		for _, one := range contactsOf(msg) {
			if total > 0 && len(list) == total || branch > 0 && n == branch {
				break
			}
			if !known(one.uri) && m.takes(x, one.uri) {
				one.uri = bytes.Clone(one.uri)
				list = append(list, one)
				n++
			}
		}
	}
	return list
}

// contactsOf reads the contacts of a response, the highest q first.
func contactsOf(msg *sipframe.Message) (list []contact) {
	it := msg.Values(sipframe.HeaderContact)
	for {
		v, ok := it.Next()
		if !ok {
			break
		}
		var a sipframe.NameAddr
		if msg.NameAddr(v, &a) != nil {
			continue
		}
		one := contact{uri: msg.Bytes(a.URI), q: 1000}
		var u sipframe.URI
		if sipframe.ParseURI(one.uri, &u) != nil {
			continue
		}
		for params := sipframe.Params(msg.Bytes(a.Params)); ; {
			p, ok := params.Next()
			if !ok {
				break
			}
			if f, err := strconv.ParseFloat(string(p.Value), 64); string(p.Name) == "q" && err == nil && f >= 0 && f <= 1 {
				one.q = int(f*1000 + 0.5)
			}
		}
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(a, b contact) int { return b.q - a.q })
	return list
}
