package cfgutils

import (

	//nolint:gosec // it names a file, as OpenSIPS does

	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"sipreactor/reactor/modules/internal/recurrence"
	"sipreactor/reactor/script"
)

// longestSleep bounds sleep() and usleep().
const longestSleep = time.Hour

func wait(unit time.Duration) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		n, at := a.Int(0), a.Site()
		return func(x *script.Machine) int {
			v, ok := n(x)
			if !ok || v <= 0 {
				return 1 // as there: what is no number is 0
			}
			d := longestSleep
			if v < int64(longestSleep/unit) {
				d = time.Duration(v) * unit
			}
			if !x.Wait(func() { time.Sleep(d) }) {
				return x.Fail(at, "too many messages wait")
			}
			return 1
		}
	}
}

// maxRecurrences bounds the recurrences that are kept for a call with variables.
const maxRecurrences = 1024

func checkTime(a *script.Args) script.Action {
	text, stamp, at := a.Text(0), a.Int(1), a.Site()
	fixed, isFixed := a.Fixed(0)
	var constant recurrence.Expression
	if isFixed {
		var err error
		if constant, err = recurrence.Parse(fixed); err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
	}
	var mu sync.Mutex
	known := make(map[string]recurrence.Expression)
	return func(x *script.Machine) int {
		when := x.Now()
		if n, ok := stamp(x); ok && n > 0 {
			when = time.Unix(n, 0)
		}
		e := constant
		if e == nil {
			b, ok := text(x)
			if !ok || len(b) > 4096 {
				return x.Fail(at, "there is no recurrence")
			}
			mu.Lock()
			e = known[string(b)]
			mu.Unlock()
			if e == nil {
				var err error
				if e, err = recurrence.Parse(string(b)); err != nil {
					return x.Fail(at, err.Error())
				}
				mu.Lock()
				if len(known) >= maxRecurrences {
					clear(known)
				}
				known[string(b)] = e
				mu.Unlock()
			}
		}
		return script.Yes(e.Holds(when))
	}
}

func delta(a *script.Args) script.Action {
	var parts [4]func(x *script.Machine) (int64, bool)
	for i := range parts {
		parts[i] = a.Int(i)
	}
	text, number, at := a.Setter(4), a.Setter(5), a.Site()
	return func(x *script.Machine) int {
		var n [4]int64
		for i, get := range parts {
			v, ok := get(x)
			if !ok || v < 0 || v > 1<<40 {
				return x.Fail(at, "the times are numbers of seconds and microseconds")
			}
			n[i] = v
		}
		d := (n[0]-n[2])*1000000 + n[1] - n[3]
		if d < 0 {
			d = -d
		}
		if text != nil {
			text(x, script.Text(x.Keep(strconv.AppendInt(nil, d, 10))))
		}
		if number != nil {
			number(x, script.Int(d))
		}
		return 1
	}
}

func accurate(a *script.Args) script.Action {
	sec, usec, text := a.Setter(0), a.Setter(1), a.Setter(2)
	return func(x *script.Machine) int {
		now := time.Now()
		sec(x, script.Int(now.Unix()))
		usec(x, script.Int(int64(now.Nanosecond()/1000)))
		if text != nil {
			text(x, script.Text(x.KeepString(fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000))))
		}
		return 1
	}
}

func shuffle(a *script.Args) script.Action {
	avp := a.AVP(0)
	return func(x *script.Machine) int {
		values := make([]script.Value, avp.Len(x))
		for i := range values {
			v := avp.Get(x, i)
			if !v.IsNumber() && !v.IsNull() {
				v = script.Text(x.Keep(x.Text(v)))
			}
			values[i] = v
		}
		rand.Shuffle(len(values), func(i, k int) { values[i], values[k] = values[k], values[i] })
		avp.Clear(x)
		for _, v := range values {
			avp.Add(x, v)
		}
		return 1
	}
}
