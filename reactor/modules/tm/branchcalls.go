package tm

import (
	"strconv"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

func (m *Module) cancelBranch(a *script.Args) script.Action {
	which, _ := a.Fixed(0)
	switch which {
	case "", "a", "o":
	default:
		a.Errorf(0, `t_cancel_branch() takes "a" (all), "o" (the others) or nothing`)
		return nil
	}
	return func(x *script.Machine) int {
		e := transaction.Of(x.Context())
		if e == nil {
			return -1
		}
		e.CancelLegs(e.At(), which != "o", which != "")
		return 1
	}
}

func (m *Module) cancelReason(a *script.Args) script.Action {
	text, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		b, ok := text(x)
		if !ok || x.Context().Msg.Method() != sipframe.CANCEL {
			return -1
		}
		return x.Reported(at, m.layer.SetCancelReason(x.Context(), b))
	}
}

func (m *Module) waitForBranches(a *script.Args) script.Action {
	number := a.Int(0)
	given := a.Given(0)
	return func(x *script.Machine) int {
		e := transaction.Of(x.Context())
		if e == nil {
			return -1
		}
		n := int64(transaction.MaxBranches)
		if given {
			n, _ = number(x)
		}
		if n < 1 {
			return -1
		}
		e.WaitForBranches(int(n))
		return 1
	}
}

func (m *Module) inject(a *script.Args) script.Action {
	from, _ := a.Fixed(0)
	if from != "msg" && from != "event" {
		a.Errorf(0, `t_inject_branches() takes "msg" or "event"`)
		return nil
	}
	if from == "event" && !a.Loading().Loaded("event_routing") && !a.Loading().Partial() {
		a.Errorf(0, `t_inject_branches("event") needs the module event_routing: loadmodule "event_routing.so"`)
		return nil
	}
	flags, _ := a.Fixed(1)
	cancel, last := false, false
	for _, f := range strings.FieldsFunc(flags, func(r rune) bool { return r == ',' || r == '|' || r == ' ' }) {
		switch f {
		case "cancel", "c":
			cancel = true
		case "last", "l":
			last = true
		default:
			a.Errorf(1, "t_inject_branches() has no flag %q: there are cancel and last", f)
			return nil
		}
	}
	return func(x *script.Machine) int {
		c := x.Context()
		e := transaction.Of(c)
		if h := transaction.Named(c); h != 0 && e == nil {
			list := injected(x, from == "event")
			return yes(m.layer.Do(nil, h, func(e *transaction.Exchange, _ *proxy.Context) { e.InjectBranches(list, cancel, last) }))
		}
		if e == nil || from == "event" {
			return -1
		}
		x.NameDomains()
		k := m.attached(e)
		k.machine = x
		rc := e.Inject(c, cancel, last)
		k.machine = nil
		return rc
	}
}

// injected returns the branches that a route has for the transaction that notify_on_event() has named: that of the
// event's AVPs, or those of the message.
func injected(x *script.Machine, event bool) (list []transaction.Injected) {
	if event {
		text := func(name string) string { return string(x.Text(x.NamedAVP(name))) }
		one := transaction.Injected{URI: text("uri"), Destination: text("received"), Path: text("path")}
		if one.Destination == "" && one.Path != "" {
			one.Destination = strings.Trim(one.Path[:max(strings.IndexByte(one.Path+",", ','), 0)], "<> ")
		}
		return append(list, one)
	}
	c := x.Context()
	for i := range c.Branches() {
		b := c.Branch(i)
		list = append(list, transaction.Injected{
			URI: string(c.BranchURI(i)), Destination: string(b.DestURI()), Path: string(b.Path()), Q: b.Q(), Flags: b.Flags(),
		})
	}
	return list
}

func (m *Module) branchByAttr(a *script.Args) script.Action {
	name, text, number, result, offset := a.Text(0), a.Text(1), a.Int(2), a.Setter(3), a.Int(4)
	hasText, hasNumber, hasOffset := a.Given(1), a.Given(2), a.Given(4)
	return func(x *script.Machine) int {
		e := transaction.Of(x.Context())
		b, ok := name(x)
		if e == nil || !ok {
			return -1
		}
		from := int64(0)
		if hasOffset {
			from, _ = offset(x)
		}
		for i, leg := range e.Legs() {
			attr := leg.Set.Attr(string(b))
			if int64(i) < from || attr == nil {
				continue
			}
			if hasText {
				if want, _ := text(x); !attr.IsText || string(want) != string(attr.Text) {
					continue
				}
			} else if hasNumber {
				if want, _ := number(x); attr.IsText || want != attr.Number {
					continue
				}
			}
			if result != nil {
				result(x, script.Int(int64(i)))
			}
			return 1
		}
		return -1
	}
}

func (m *Module) replyByCallID(a *script.Args) script.Action {
	m.cfg.ByCallID = true
	id, number := a.Text(2), a.Text(3)
	hasID, hasNumber := a.Given(2), a.Given(3)
	return script.StatusAction(func(x *script.Machine, _ *script.Site, code int, reason []byte) int {
		c := x.Context()
		callID := c.Msg.CallID()
		if hasID {
			callID, _ = id(x)
		}
		n, _, _ := c.Msg.CSeq()
		if hasNumber {
			b, _ := number(x)
			v, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
			if err != nil {
				return -1
			}
			n = uint32(v)
		}
		h := m.layer.FindInvite(callID, n)
		if h == 0 {
			return -1
		}
		why := append([]byte(nil), reason...)
		return yes(m.layer.Do(c, h, func(e *transaction.Exchange, _ *proxy.Context) { e.Respond(code, why, nil, nil, nil) }))
	})(a)
}

func (m *Module) replicate(a *script.Args) script.Action {
	uri, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		b, ok := uri(x)
		if !ok {
			return x.Fail(at, "the URI is NULL")
		}
		x.NameDomains()
		return x.Reported(at, m.layer.Replicate(x.Context(), b))
	}
}
