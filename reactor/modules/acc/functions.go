package acc

import (
	"errors"
	"strconv"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

// maxLegs bounds the legs of a call.
const maxLegs = 64

// routes are where a call can be marked.
var routes = script.Routes(script.RequestRoute, script.FailureRoute, script.BranchRoute, script.LocalRoute, script.OnReplyRoute)

func (m *module) functions() []script.Function {
	text := script.TextArg
	return []script.Function{
		{Name: "do_accounting", Usage: `do_accounting("types"[, "flags"][, "table"])`, Help: "Has the transaction's record written when it is answered: log, db, evi; cdr, missed, failed.",
			Args: []script.ArgKind{text, text, script.TableArg}, Min: 1, Routes: routes, Build: m.doAccounting},
		{Name: "drop_accounting", Usage: `drop_accounting(["types"][, "flags"])`, Help: "Takes do_accounting() back: all, types, or flags of them.",
			Args: []script.ArgKind{text, text}, Routes: routes, Build: m.dropAccounting},
		{Name: "acc_log_request", Usage: `acc_log_request("code reason")`, Help: "Writes a record into the log at once.", Args: []script.ArgKind{text}, Min: 1, Routes: routes, Build: m.request(toLog)},
		{Name: "acc_db_request", Usage: `acc_db_request("code reason"[, "table"])`, Help: "Writes a record into the database at once.", Args: []script.ArgKind{text, script.TableArg}, Min: 1, Routes: routes, Build: m.request(toDB)},
		{Name: "acc_evi_request", Usage: `acc_evi_request("code reason")`, Help: "Raises an event at once.", Args: []script.ArgKind{text}, Min: 1, Routes: routes, Build: m.request(toEvents)},
		{Name: "acc_aaa_request", Usage: `acc_aaa_request("code reason")`, Help: "Not supported: there is no AAA.", Args: []script.ArgKind{text}, Min: 1, Routes: routes, Build: m.request(toAAA)},
		{Name: "acc_new_leg", Usage: "acc_new_leg()", Help: "Begins another leg: its values are NULL.", Routes: routes, Build: func(a *script.Args) script.Action {
			at := a.Site()
			return func(x *script.Machine) int {
				k := m.account(x, true)
				if len(k.legs) == maxLegs {
					return x.Fail(at, "the call has as many legs as one may have: "+strconv.Itoa(maxLegs))
				}
				k.legs = append(k.legs, nil)
				k.save()
				return 1
			}
		}},
		{Name: "acc_load_ctx_from_dlg", Usage: "acc_load_ctx_from_dlg()", Help: "Has $acc_extra and $acc_leg be those of the dialog at hand.", Args: nil, Routes: script.Anywhere, Build: m.loadFromDialog},
		{Name: "acc_unload_ctx_from_dlg", Usage: "acc_unload_ctx_from_dlg()", Help: "Takes that back.", Args: nil, Routes: script.Anywhere, Build: m.unloadFromDialog},
	}
}

var errNotHere = errors.New("a type or flag is asked for that is not here: aaa, cdr without dialog, or db without a database")

// usable reports whether what is asked for can be done, as far as that is known.
func (m *module) usable(a *script.Args, i int, want mark) bool {
	switch {
	case want[toAAA] != 0:
		a.Errorf(i, "the type aaa is not supported: there is no AAA in this version")
	case want[toDB] != 0 && !m.urlSet && !a.Loading().Partial():
		a.Errorf(i, "the type db needs a database: db_url of acc is not set, and there is no db_default_url")
	case want.has(cdr) && !a.Loading().Loaded("dialog"):
		a.Errorf(i+1, `the flag cdr needs the module dialog: loadmodule "dialog.so"`)
	default:
		table := 2 // of do_accounting()
		if i < 0 {
			table = 1
		}
		if want[toDB] != 0 && !a.Given(table) {
			m.toTable, m.toMissed = true, m.toMissed || want.has(onMissed)
			m.toCalls = m.toCalls || want[toDB]&cdr != 0
		}
		return true
	}
	return false
}

// marks compiles types and flags.
func (m *module) marks(a *script.Args, take bool) func(x *script.Machine) (mark, bool) {
	types, constTypes := a.Fixed(0)
	list, constList := a.Fixed(1)
	constTypes = constTypes || !a.Given(0)
	if !a.Given(0) {
		types = "log|db|aaa|evi"
	}
	if constTypes && (constList || !a.Given(1)) {
		want, err := parseMark(types, list)
		if err != nil {
			i := 0
			if err == errFlags {
				i = 1
			}
			a.Errorf(i, "%v", err)
			return nil
		}
		if !take && !m.usable(a, 0, want) {
			return nil
		}
		return func(*script.Machine) (mark, bool) { return want, true }
	}
	first, second, at := a.Text(0), a.Text(1), a.Site()
	return func(x *script.Machine) (want mark, ok bool) {
		t := []byte(types)
		if a.Given(0) {
			t, _ = first(x)
		}
		f, _ := second(x)
		want, err := parseMark(string(t), string(f))
		if err == nil && !take && (want[toAAA] != 0 || want.has(cdr) && m.dialog == nil || want[toDB] != 0 && m.writer == nil) {
			err = errNotHere
		}
		if err != nil {
			x.Fail(at, err.Error())
			return want, false
		}
		return want, true
	}
}

func (m *module) doAccounting(a *script.Args) script.Action {
	marks := m.marks(a, false)
	if marks == nil {
		return nil
	}
	table, at := a.Text(2), a.Site()
	return func(x *script.Machine) int {
		want, ok := marks(x)
		if !ok {
			return -1
		}
		k := m.account(x, true)
		before := k.mark
		k.mark.join(want) // a transaction may be refused in what comes next
		if t, ok := table(x); ok {
			k.table = string(t)
		}
		if follow := want.has(cdr) && x.Message().Method() == sipframe.INVITE && !x.Context().HasToTag(); follow {
			if rc := m.dialog.Create(x, at, 0); rc <= 0 {
				k.mark = before
				return rc
			}
			if k.dialog == nil {
				k.dialog, k.began = m.dialog.Of(x.Context()), time.Now()
				k.dialog.Attach(accountKey{}, k) // until the dialog has its values itself
			}
		}
		k.marked = true
		if m.direction && x.Message().IsRequest() && x.Context().HasToTag() {
			k.upstream = upstream(x)
		}
		return 1
	}
}

func (m *module) dropAccounting(a *script.Args) script.Action {
	marks := m.marks(a, true)
	if marks == nil {
		return nil
	}
	withFlags := a.Given(1)
	return func(x *script.Machine) int {
		want, ok := marks(x)
		if !ok {
			return -1
		}
		if k := m.account(x, false); k != nil {
			k.mark.leave(want, withFlags)
		}
		return 1
	}
}

// request writes a record that the script tells the outcome of.
func (m *module) request(to backend) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		var want mark
		want[to] = wanted
		if !m.usable(a, -1, want) {
			return nil
		}
		text, at := a.Text(0), a.Site()
		table := func(*script.Machine) ([]byte, bool) { return nil, false }
		if to == toDB {
			table = a.Text(1)
		}
		return func(x *script.Machine) int {
			comment, ok := text(x)
			if !ok {
				return x.Fail(at, "there is no text")
			}
			msg := x.Message()
			if !msg.IsRequest() {
				return x.Fail(at, "the message is no request")
			}
			k := m.account(x, false)
			if k == nil {
				k = &account{of: m}
			}
			r := k.record(nil, msg, 0)
			r.code, r.reason = parseComment(comment)
			code, _ := strconv.Atoi(string(r.code))
			switch to {
			case toLog:
				m.toLog(k, r, requested)
			case toDB:
				name := m.table
				if t, ok := table(x); ok && len(t) > 0 {
					name = string(t)
				}
				m.toDB(k, r, name)
			case toEvents:
				event := eventMissed
				if code > 0 && code < 300 {
					event = eventAnswered
				}
				m.toEvents(k, r, event)
			default: // there is no other
			}
			return 1
		}
	}
}

var ftag = []byte("ftag")

// upstream reports whether a request goes from the callee to the caller, by what
// Record-Route noted.
func upstream(x *script.Machine) bool {
	from, err := x.Message().From()
	if err != nil {
		return false
	}
	for it := sipframe.Params(x.Context().RouteParams()); ; {
		p, ok := it.Next()
		if !ok {
			return false
		}
		if sipframe.EqualFoldBytes(p.Name, ftag) {
			return string(p.Value) != string(from.Tag.In(x.Message().Raw()))
		}
	}
}
