package acc

import (
	"context"
	"strconv"
	"time"

	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// record makes the record of a transaction from its response, its request, or both. What
// it has are views, but for those of an event.
func (a *account) record(response, request *sipframe.Message, code int) *record {
	r := &record{time: time.Now()}
	if code != 0 {
		r.code = strconv.AppendInt(nil, int64(code), 10)
	}
	if msg := request; msg != nil {
		r.method, r.callID, r.fromTag, r.toTag = msg.MethodName(), a.callID(msg), tagOf(msg, msg.From), tagOf(msg, msg.To)
	}
	if msg := response; msg != nil {
		if request == nil {
			_, r.method, _ = msg.CSeq()
			r.callID, r.fromTag = a.callID(msg), tagOf(msg, msg.From)
		}
		if t := tagOf(msg, msg.To); len(t) > 0 {
			r.toTag = t
		}
		r.reason = msg.ReasonPhrase()
	} else if code != 0 {
		r.reason = []byte(phrase(code))
	}
	if a.upstream {
		r.fromTag, r.toTag = r.toTag, r.fromTag
	}
	return r
}

// callID is that of a message, as the caller knows it.
func (a *account) callID(msg *sipframe.Message) []byte {
	if e := a.of.env; e != nil && e.Proxy != nil {
		return e.Proxy.CallIDOf(msg)
	}
	return msg.CallID()
}

func tagOf(msg *sipframe.Message, get func() (*sipframe.NameAddr, error)) []byte {
	if a, err := get(); err == nil {
		return a.Tag.In(msg.Raw())
	}
	return nil
}

// phrase is the reason of an answer that is ours: the only 200 is that to a CANCEL.
func phrase(code int) string {
	switch code {
	case 200:
		return "canceling"
	case 408:
		return "Request Timeout"
	case 482:
		return "Loop Detected"
	case 487:
		return "Request Terminated"
	case 500:
		return "Server Internal Error"
	case 503:
		return "Service Unavailable"
	default:
		return ""
	}
}

// row is a record for the database. It has copies of all.
func (m *module) row(table string, r *record, leg []field) store.Change {
	text := func(b []byte) store.Value { return store.Cuttable(string(b)) } // a caller is not to keep a record out by a long Call-ID
	c := &m.columns
	var names []string
	var values []store.Value
	add := func(column string, v store.Value) { names, values = append(names, column), append(values, v) }
	for _, set := range []store.Set{
		{Column: c.method, Value: text(r.method)}, {Column: c.fromTag, Value: text(r.fromTag)}, {Column: c.toTag, Value: text(r.toTag)},
		{Column: c.callID, Value: text(r.callID)}, {Column: c.code, Value: text(r.code)}, {Column: c.reason, Value: text(r.reason)},
		{Column: c.time, Value: store.Time(r.time)},
	} {
		add(set.Column, set.Value)
	}
	if r.call != nil {
		for _, set := range r.call.columns() {
			add(set.Column, set.Value)
		}
	}
	for _, list := range [][]field{r.extra, leg} {
		for _, f := range list {
			v := store.Value{}
			if f.value != nil {
				v = text(f.value)
			}
			add(f.name, v)
		}
	}
	return store.Change{Verb: store.VerbInsert, Table: table, Columns: names, Rows: [][]store.Value{values}}
}

// write writes a record to each backend that has all of need.
func (m *module) write(a *account, r *record, need flags, what, table, event string) {
	if a.mark[toLog]&need == need {
		m.toLog(a, r, what)
	}
	if a.mark[toDB]&need == need {
		m.toDB(a, r, table)
	}
	if a.mark[toEvents]&need == need {
		m.toEvents(a, r, event)
	}
}

func (m *module) toLog(a *account, r *record, what string) {
	if m.env.Log == nil {
		return
	}
	r.extra = m.extra.values(toLog, a.extra)
	r.legs = m.legs.legs(toLog, a.legs)
	m.env.Log.Log(context.Background(), script.LogLevel(m.level).Slog(), string(r.appendLine(nil, what)))
	m.records[toLog].Add(1)
}

func (m *module) toEvents(a *account, r *record, event string) {
	if !m.env.Heard(event) {
		return
	}
	r.extra = m.extra.values(toEvents, a.extra)
	legs := m.legs.legs(toEvents, a.legs)
	if len(legs) == 0 {
		legs = [][]field{nil}
	}
	for _, leg := range legs {
		list := r.params(leg)
		if event == eventMissed {
			list = append(list, a.sinceParams(r.time)...)
		}
		m.env.Raise(event, list...)
	}
}

func (m *module) toDB(a *account, r *record, table string) {
	if m.writer == nil {
		return
	}
	r.extra = m.extra.values(toDB, a.extra)
	legs := m.legs.legs(toDB, a.legs)
	if len(legs) == 0 {
		legs = [][]field{nil}
	}
	for _, leg := range legs {
		m.writer.put(m.row(table, r, leg))
		m.records[toDB].Add(1)
	}
}
