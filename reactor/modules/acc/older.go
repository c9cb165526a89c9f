package acc

import (
	"errors"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
)

// older is what parameters of before OpenSIPS 2.2 say: flags of messages that have their
// transactions accounted, and variables whose values go with the records. They are looked
// at when a transaction begins.
type older struct {
	flags  []olderFlag
	extras []olderExtra

	toTable, toMissed bool // as in module
}

// olderFlag is a flag, and what it asks for.
type olderFlag struct {
	name script.Literal
	mark mark
	only flags // of the backends that other flags ask for: failed_transaction_flag, cdr_flag
	bit  uint64
}

// olderExtra is a value of a record.
type olderExtra struct {
	tag   int
	text  script.Literal
	value func(x *script.Machine) script.Value
}

var errExtra = errors.New("is name=$variable, joined by ;")

// parameters declares them.
func (o *older) parameters(t *tags) (list []script.Parameter) {
	const note = " of a transaction that begins with it set, as of before OpenSIPS 2.2; do_accounting() says it since."
	flag := func(name, help string, f olderFlag) {
		list = append(list, script.Parameter{Name: name, Type: script.StringParam, Help: help + note, Set: func(v script.Literal) error {
			f.name = v
			o.flags = append(o.flags, f)
			return nil
		}})
	}
	for _, prefix := range []string{"log", "db", "evi"} {
		to := backendNames[prefix]
		var on, missed mark
		on[to], missed[to] = wanted, wanted|onMissed
		flag(prefix+"_flag", "The flag that accounts by "+prefix, olderFlag{mark: on})
		flag(prefix+"_missed_flag", "The flag that accounts missed calls by "+prefix, olderFlag{mark: missed})
		list = append(list, script.Parameter{Name: prefix + "_extra", Type: script.StringParam,
			Help: `Values of records: "name=$variable; name=$variable", as of before OpenSIPS 2.2; extra_fields and $acc_extra say it since.`,
			Set:  func(v script.Literal) error { return o.addExtra(t, prefix, v) }})
	}
	flag("failed_transaction_flag", "The flag that accounts failures, too,", olderFlag{only: onFailed})
	flag("cdr_flag", "The flag that accounts calls with their duration, where create_dialog() was called,", olderFlag{only: cdr})
	return list
}

// addExtra reads log_extra and the others.
func (o *older) addExtra(t *tags, to string, v script.Literal) error {
	t.said = origin{to + "_extra", v.At}
	for one := range strings.SplitSeq(v.Text, ";") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		name, variable, ok := strings.Cut(one, "=")
		name, variable = strings.TrimSpace(name), strings.TrimSpace(variable)
		if !ok || !strings.HasPrefix(variable, "$") {
			return errExtra
		}
		if err := t.add(to + ": " + name); err != nil {
			return errExtra
		}
		text := v
		text.Text = variable
		o.extras = append(o.extras, olderExtra{tag: t.find(name), text: text})
	}
	return nil
}

// check compiles what the parameters name.
func (o *older) check(l *script.Loading, database bool) {
	for i := range o.flags {
		f := &o.flags[i]
		f.bit = 1 << l.Flag(f.name)
		if f.mark[toDB] != 0 && database {
			o.toTable, o.toMissed = true, o.toMissed || f.mark.has(onMissed)
		}
		switch {
		case f.mark[toDB] != 0 && !database && !l.Partial():
			l.Errorf(f.name.At, "accounting by a database needs one: db_url of acc is not set, and there is no db_default_url")
		case f.only == cdr && !l.Loaded("dialog") && !l.Partial():
			l.Errorf(f.name.At, `cdr_flag needs the module dialog: loadmodule "dialog.so"`)
		}
	}
	for i := range o.extras {
		o.extras[i].value = l.Variable(o.extras[i].text)
	}
}

// toCalls reports whether records of calls are asked for.
func (o *older) toCalls() bool {
	return o.toTable && slices.ContainsFunc(o.flags, func(f olderFlag) bool { return f.only == cdr })
}

// asks returns what the flags of a message ask for.
func (o *older) asks(set uint64) (m mark) {
	var also flags
	for i := range o.flags {
		if f := &o.flags[i]; set&f.bit != 0 {
			m.join(f.mark)
			also |= f.only
		}
	}
	for i := range m {
		if m[i] != 0 {
			m[i] |= also
		}
	}
	return m
}

// overtaken is how long a request may be under way that a reload has overtaken.
const overtaken = 5 * time.Minute

// finish goes on to account by their flags the requests whose script is the one that was replaced: the numbers of flags are
// its own.
func (m *module) finish() {
	if len(m.older.flags) == 0 || !m.replaced.Load() || m.tm == nil || m.tm.Layer() == nil {
		return
	}
	time.AfterFunc(overtaken, m.tm.Layer().Listen(func(h *transaction.Happening) {
		if h.What == transaction.Created {
			m.markOlder(h.Context)
		}
	}))
	time.AfterFunc(overtaken, m.tm.Layer().ListenWithout(m.markOlder))
}

// markOlder accounts the request in c by its flags: its transaction begins, or it gets none.
func (m *module) markOlder(c *proxy.Context) {
	if len(m.older.flags) == 0 || c.Msg == nil {
		return
	}
	want := m.older.asks(c.Flags())
	if want == (mark{}) {
		return
	}
	x := m.env.Program.MachineOf(c)
	if x == nil {
		return
	}
	k := m.account(x, true)
	if want.has(cdr) {
		if k.dialog == nil && m.dialog != nil {
			k.dialog, k.began = m.dialog.Of(c), time.Now()
		}
		if k.dialog == nil { // nothing knows when the call ends
			for i := range want {
				want[i] &^= cdr
			}
		}
	}
	k.marked = true
	k.mark.join(want)
	if m.direction && x.Message().IsRequest() && c.HasToTag() {
		k.upstream = upstream(x)
	}
	for i := range m.older.extras {
		if e := &m.older.extras[i]; e.value != nil {
			set(&k.extra, e.tag, x, e.value(x))
		}
	}
	k.save()
}
