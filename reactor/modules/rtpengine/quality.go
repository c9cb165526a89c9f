package rtpengine

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
)

// figure is what $rtpstat(…) names: a field of rtpengine's records of the call's streams.
type figure struct {
	field string // of a record
	kind  string // average, min or max
	when  bool   // the time of the record instead, in seconds from the call's start
}

// fields are the figures by their names.
var fields = map[string]string{"MOS": "MOS", "jitter": "jitter", "roundtrip": "round-trip time", "packetloss": "packet loss"}

func parseFigure(name string) (f figure, ok bool) {
	base, f2 := strings.CutSuffix(name, "-at")
	what, kind, ok := strings.Cut(base, "-")
	f = figure{fields[what], kind, f2}
	ok = ok && f.field != "" && (kind == "min" || kind == "max" || kind == "average" && !f2)
	return f, ok
}

func (m *module) variables() []script.Variable {
	return []script.Variable{
		{Name: "rtpstat", Help: "Statistics of the call's media; in parentheses one of MOS, jitter, roundtrip and packetloss with -average, -min, -max, -min-at or -max-at.",
			Inner: script.OptionalInner, Get: m.getStat},
		{Name: "rtpquery", Help: "What rtpengine knows of the call, in JSON.", Get: func(u *script.Use) script.Getter {
			at := u.Site()
			return func(x *script.Machine, _ int) script.Value {
				d := m.query(x, at, true)
				if d == nil {
					return script.Value{}
				}
				return script.Text(appendJSON(nil, d))
			}
		}},
	}
}

func (m *module) getStat(u *script.Use) script.Getter {
	m.told = true
	at := u.Site()
	name, fixed := u.Fixed()
	if name == "" {
		return func(x *script.Machine, _ int) script.Value {
			d := m.query(x, at, false)
			if d == nil {
				return script.Value{}
			}
			return script.Text(appendTotals(nil, d))
		}
	}
	f, ok := parseFigure(name)
	ok = ok && fixed
	if !ok {
		u.Errorf("$rtpstat(%s) is none of MOS, jitter, roundtrip and packetloss with -average, -min, -max, -min-at or -max-at", name)
		return nil
	}
	return func(x *script.Machine, _ int) script.Value {
		if d := m.query(x, at, false); d != nil {
			if n, ok := f.of(d); ok {
				return script.Int(n)
			}
		}
		return script.Value{}
	}
}

// query asks for the statistics of the call, unless the message has them already: of
// another $rtpstat, or of rtpengine_delete(). nil: there are none.
func (m *module) query(x *script.Machine, at *script.Site, fresh bool) ng.Dict {
	if d, ok := m.last.Get(x).(ng.Dict); ok && !fresh {
		return d
	}
	if !x.HasMessage() {
		return nil
	}
	f := &act{m: m, at: at}
	q, err := f.question(x, "query", new(options), false)
	if err != nil {
		f.failed(x, err)
		return nil
	}
	defer q.free()
	if err := f.send(x, q); err != nil {
		x.Say(at, script.LevelInfo, "rtpengine: there are no statistics", slog.Any("error", err))
		return nil
	}
	d := q.answer.Dict()
	m.last.Set(x, d)
	return d
}

func appendTotals(dst []byte, d ng.Dict) []byte {
	for i, kind := range []string{"RTP", "RTCP"} {
		if i > 0 {
			dst = append(dst, "; "...)
		}
		dst = append(append(dst, kind...), ": "...)
		for j, what := range []string{"bytes", "packets", "errors"} {
			if j > 0 {
				dst = append(dst, ", "...)
			}
			n, _ := d.Dict("totals").Dict(kind).Int(what)
			dst = append(append(strconv.AppendInt(dst, n, 10), ' '), what...)
		}
	}
	return dst
}

// of takes the figure from the statistics of a call: over all of its streams.
func (f figure) of(d ng.Dict) (int64, bool) {
	type sample struct{ n, at int64 }
	var all []sample
	for _, e := range d.Dict("SSRC") {
		stream, _ := e.Value.(ng.Dict)
		records := []string{"lowest MOS", "highest MOS"}
		if f.kind == "average" {
			records = []string{"average MOS"}
		}
		for _, name := range records {
			r := stream.Dict(name)
			if n, ok := r.Int(f.field); ok {
				at, _ := r.Int("reported at")
				all = append(all, sample{n, at})
			}
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	if f.kind == "average" {
		sum := int64(0)
		for _, s := range all {
			sum += s.n
		}
		return sum / int64(len(all)), true
	}
	by := func(a, b sample) int { return int(a.n - b.n) }
	found := slices.MinFunc(all, by)
	if f.kind == "max" {
		found = slices.MaxFunc(all, by)
	}
	if f.when {
		created, ok := d.Int("created")
		return found.at - created, ok && found.at > 0
	}
	return found.n, true
}

// appendJSON writes a value of an answer.
func appendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case ng.List:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, x)
		}
		return append(dst, ']')
	case ng.Dict:
		dst = append(dst, '{')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(append(appendJSON(dst, e.Key), ':'), e.Value)
		}
		return append(dst, '}')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return append(dst, "null"...)
		}
		return append(dst, text...)
	}
}
