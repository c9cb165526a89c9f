package acc

import (
	"strconv"
	"time"

	"sipreactor/reactor/script"
)

// field is a value of a record besides the fixed ones. nil is null.
type field struct {
	name  string
	value []byte
}

// record is what is written about a transaction.
type record struct {
	method, fromTag, toTag, callID, code, reason []byte
	time                                         time.Time
	call                                         *times // of a call that has ended; else nil
	extra                                        []field
	legs                                         [][]field
}

// What happened, as log lines say it.
const (
	answered  = "ACC: transaction answered: "
	missed    = "ACC: call missed: "
	ended     = "ACC: call ended: "
	requested = "ACC: request accounted: "
)

// appendLine writes a log line: the fixed values, the extra ones, and those of each leg.
func (r *record) appendLine(b []byte, what string) []byte {
	b = append(b, what...)
	if r.call != nil {
		b = r.call.appendTo(b)
	} else {
		b = strconv.AppendInt(append(b, "timestamp="...), r.time.Unix(), 10)
	}
	for _, f := range [...]field{{"method", r.method}, {"from_tag", r.fromTag}, {"to_tag", r.toTag}, {"call_id", r.callID}, {"code", r.code}, {"reason", r.reason}} {
		b = appendField(b, f)
	}
	for _, f := range r.extra {
		b = appendField(b, f)
	}
	for _, leg := range r.legs {
		for _, f := range leg {
			b = appendField(b, f)
		}
	}
	return b
}

// appendField writes ;name=value. What a client has written ends no line and adds no
// field: control characters and semicolons become spaces and commas.
func appendField(b []byte, f field) []byte {
	b = append(append(append(b, ';'), f.name...), '=')
	for _, c := range f.value {
		switch {
		case c < ' ' || c == 0x7f:
			c = ' '
		case c == ';':
			c = ','
		}
		b = append(b, c)
	}
	return b
}

// params are those of the events the events, for one leg.
func (r *record) params(leg []field) []script.Param {
	list := []script.Param{
		script.TextParam("method", string(r.method)), script.TextParam("from_tag", string(r.fromTag)), script.TextParam("to_tag", string(r.toTag)),
		script.TextParam("callid", string(r.callID)), script.TextParam("sip_code", string(r.code)), script.TextParam("sip_reason", string(r.reason)),
		script.NumberParam("time", r.time.Unix()),
	}
	for _, f := range r.extra {
		list = append(list, script.TextParam(f.name, string(f.value)))
	}
	for _, f := range leg {
		list = append(list, script.TextParam(f.name, string(f.value)))
	}
	if r.call != nil {
		list = append(list, r.call.params()...)
	}
	return list
}
