package acc

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"sipreactor/reactor/dialog"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// eventCDR tells of a call that ended.
const eventCDR = "E_ACC_CDR"

// keptAs is the value of the dialog that has the call: it is stored with the dialog, so
// that a call which outlives the program has its record all the same.
const keptAs = "accX_cdr"

// maxBYE is how long the record of a call waits for the answer to its BYE, whose routes may have more to say: not for long,
// since a program that is killed meanwhile writes none.
const maxBYE = time.Second

// call is what the record of a call needs, from its answer on. Values have the names of
// their tags: the configuration that writes them may be a later one.
type call struct {
	Mark                                         mark
	Table                                        string
	Created, Answered                            int64 // unix milliseconds
	Method, FromTag, ToTag, CallID, Code, Reason []byte
	Extra                                        map[string][]byte
	Legs                                         []map[string][]byte
}

// times are those of a call that has ended.
type times struct{ created, answered, ended time.Time }

// duration gives the milliseconds of the call and its seconds, begun ones included.
func (t *times) duration() (ms, seconds int64) {
	ms = max(0, t.ended.Sub(t.answered).Milliseconds())
	return ms, (ms + 999) / 1000
}

func (t *times) setup() int64 { return max(0, int64(t.answered.Sub(t.created)/time.Second)) }

// appendTo writes what a log line begins with.
func (t *times) appendTo(b []byte) []byte {
	ms, seconds := t.duration()
	for i, f := range [...]struct {
		name  string
		value int64
	}{{"created", t.created.Unix()}, {"call_start_time", t.answered.Unix()}, {"duration", seconds}, {"ms_duration", ms}, {"setuptime", t.setup()}} {
		if i > 0 {
			b = append(b, ';')
		}
		b = strconv.AppendInt(append(append(b, f.name...), '='), f.value, 10)
	}
	return b
}

func (t *times) params() []script.Param {
	ms, seconds := t.duration()
	return []script.Param{script.NumberParam("duration", seconds), script.NumberParam("ms_duration", ms),
		script.NumberParam("setuptime", t.setup()), script.NumberParam("created", t.created.Unix())}
}

func (t *times) columns() []store.Set {
	ms, seconds := t.duration()
	return []store.Set{{Column: "duration", Value: store.Int(seconds)}, {Column: "ms_duration", Value: store.Int(ms)},
		{Column: "setuptime", Value: store.Int(t.setup())}, {Column: "created", Value: store.Time(t.created)}}
}

// named gives values by the names of their tags.
func (t *tags) named(set [][]byte) map[string][]byte {
	values := make(map[string][]byte, len(set))
	for i, v := range set {
		if v != nil {
			values[t.names[i]] = v
		}
	}
	return values
}

// numbered is the way back.
func (t *tags) numbered(values map[string][]byte) [][]byte {
	set := make([][]byte, len(t.names))
	for i, name := range t.names {
		set[i] = values[name]
	}
	return set
}

// keep begins the record of a call, with what the record of its transaction would say.
func (a *account) keep(r *record) {
	if _, ok := a.dialog.Get(keptAs); ok {
		return // another 2xx
	}
	c := &call{Table: a.table, Created: a.began.UnixMilli(), Answered: r.time.UnixMilli(), Method: r.method, FromTag: r.fromTag, ToTag: r.toTag,
		CallID: r.callID, Code: r.code, Reason: r.reason}
	for i, f := range a.mark {
		if f&cdr != 0 {
			c.Mark[i] = f
		}
	}
	a.put(c)
	a.dialog.Attach(accountKey{}, nil)
}

// put stores the call with the values that the script has set.
func (a *account) put(c *call) {
	c.Extra, c.Legs = a.of.extra.named(a.extra), nil
	for _, leg := range a.legs {
		c.Legs = append(c.Legs, a.of.legs.named(leg))
	}
	if b, err := json.Marshal(c); err == nil && !a.dialog.Set(dialog.Value{Name: keptAs, Text: string(b)}) {
		a.of.env.Log.Error("acc: the record of a call is lost: its dialog has too many values")
	}
}

// save has values that were changed known to the record of the call, if it has begun.
func (a *account) save() {
	if a.dialog == nil {
		return
	}
	if c := kept(a.dialog); c != nil {
		a.put(c)
	}
}

// kept gives the call of a dialog; nil if there is none.
func kept(d *dialog.Dialog) *call {
	v, ok := d.Get(keptAs)
	c := new(call)
	if !ok || json.Unmarshal([]byte(v.Text), c) != nil {
		return nil
	}
	return c
}

// ofDialog gives an account with the values that are kept with a dialog; nil if nothing is.
func (m *module) ofDialog(d *dialog.Dialog) *account {
	if d == nil {
		return nil
	}
	c := kept(d)
	if c == nil {
		return nil
	}
	a := &account{of: m, marked: true, dialog: d, extra: m.extra.numbered(c.Extra)}
	for _, leg := range c.Legs {
		a.legs = append(a.legs, m.legs.numbered(leg))
	}
	return a
}

// endings are calls that ended by a BYE that is not answered yet: the script may set
// values until it is. A reload hands them on.
type endings struct {
	mu    sync.Mutex
	calls map[*dialog.Dialog]time.Time // nil: accounting has ended
}

// add takes a call that has ended. It reports whether it waits now.
func (e *endings) add(d *dialog.Dialog, at time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.calls != nil {
		e.calls[d] = at
	}
	return e.calls != nil
}

// end gives the calls that wait, and none waits from then on.
func (e *endings) end() (list map[*dialog.Dialog]time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, e.calls = e.calls, nil
	return list
}

// take removes a call and tells when it ended.
func (e *endings) take(d *dialog.Dialog) (at time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok = e.calls[d]
	delete(e.calls, d)
	return at, ok
}

// before removes and gives the calls that ended before a time.
func (e *endings) before(t time.Time) map[*dialog.Dialog]time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make(map[*dialog.Dialog]time.Time)
	for d, at := range e.calls {
		if at.Before(t) {
			list[d] = at
			delete(e.calls, d)
		}
	}
	return list
}

// changed is told of a dialog's change of state.
func (m *module) changed(c dialog.Change) {
	if c.New != dialog.Ended {
		return
	}
	if _, ok := c.Dialog.Get(keptAs); !ok {
		return
	}
	now := time.Now()
	why := c.Dialog.Reason()
	if byBYE := why == dialog.UpstreamBYE || why == dialog.DownstreamBYE; !byBYE || !m.endings.add(c.Dialog, now) {
		m.callEnded(c.Dialog, now)
	}
}

// bye is told of the transactions of BYEs.
func (m *module) bye(h *transaction.Happening) {
	if m.dialog == nil || h.Exchange.Method() != sipframe.BYE {
		return
	}
	if d := m.dialog.OfExchange(h.Exchange); d != nil {
		if at, ok := m.endings.take(d); ok {
			m.callEnded(d, at)
		}
	}
}

// settle writes the calls whose BYE came before a time, answered or not.
func (m *module) settle(before time.Time) {
	for d, at := range m.endings.before(before) {
		m.callEnded(d, at)
	}
}

// callEnded writes the record of a call.
func (m *module) callEnded(d *dialog.Dialog, at time.Time) {
	c := kept(d)
	if c == nil {
		return
	}
	m = m.latest()
	a := m.ofDialog(d)
	a.mark, a.table = c.Mark, c.Table
	r := &record{method: c.Method, fromTag: c.FromTag, toTag: c.ToTag, callID: c.CallID, code: c.Code, reason: c.Reason,
		time: time.UnixMilli(c.Answered), call: &times{time.UnixMilli(c.Created), time.UnixMilli(c.Answered), at}}
	m.write(a, r, wanted|cdr, ended, a.tableOr(m.table), eventCDR)
}

// loadedKey is the key of values that acc_load_ctx_from_dlg() has covered the message's with.
type loadedKey struct{}

func (m *module) loadFromDialog(a *script.Args) script.Action {
	if !m.needsDialog(a) {
		return nil
	}
	return func(x *script.Machine) int {
		c := x.Context()
		if k, _ := c.Attachment(loadedKey{}).(*account); k != nil || m.dialog == nil {
			return -1
		}
		k := m.ofDialog(m.dialog.Seen(c))
		if k == nil {
			return -1
		}
		c.Attach(loadedKey{}, k)
		return 1
	}
}

func (m *module) unloadFromDialog(a *script.Args) script.Action {
	if !m.needsDialog(a) {
		return nil
	}
	return func(x *script.Machine) int {
		c := x.Context()
		if k, _ := c.Attachment(loadedKey{}).(*account); k == nil {
			return -1
		}
		c.Attach(loadedKey{}, nil)
		return 1
	}
}

func (m *module) needsDialog(a *script.Args) bool {
	if a.Loading().Loaded("dialog") {
		return true
	}
	a.Errorf(-1, `%s() needs the module dialog: loadmodule "dialog.so"`, a.Name())
	return false
}
