package pua

import (
	"strconv"
	"time"

	"sipreactor/reactor/transaction"
)

// upkeep is how long a publication or subscription is wanted and granted, and whether a request of it is under way: one at
// a time is. The lock of the state guards it.
type upkeep struct {
	wanted int64 // unix second until when it is wanted
	until  int64 // when the server lets it go
	lasts  int64 // seconds that it was granted
	busy   bool  // a request is under way
}

// want has it last for so many seconds from now on, 0 ends it. It reports whether a request is to be sent, by the caller:
// else one is under way, and who takes its answer sends the next.
func (u *upkeep) want(seconds int64) (send bool) {
	send = !u.busy
	u.busy, u.wanted = true, time.Now().Unix()+seconds
	return send
}

// asks is how many seconds the request under way asks for.
func (u *upkeep) asks() int64 { return max(u.wanted-time.Now().Unix(), 0) }

// grant notes for how long the server keeps it.
func (u *upkeep) grant(seconds int64) { u.lasts, u.until = seconds, time.Now().Unix()+seconds }

// tooBrief takes a 423 to a request that asked for so many seconds. It reports whether to ask again, for what the server
// says is the least.
func (u *upkeep) tooBrief(o *transaction.Outcome, asked int64) bool {
	n, err := strconv.ParseInt(header(o.Message, "Min-Expires"), 10, 32)
	if asked <= 0 || err != nil || n <= asked || n > 30*86400 {
		return false
	}
	u.wanted = time.Now().Unix() + n
	return true
}

// due tells whether its time is over, or whether it has to be refreshed now: then it is busy.
func (u *upkeep) due(now int64) (over, refresh bool) {
	switch {
	case u.busy:
	case u.wanted <= now:
		over = true // the server lets it go by itself
	case u.until-early(u.lasts) <= now:
		u.busy, refresh = true, true
	}
	return over, refresh
}

// early is how long before its end something is refreshed, which lasts for so many seconds.
func early(lasts int64) int64 { return min(max(lasts/10, 2), 60) }

// refused tells that a request of ours was refused.
func (m *Module) refused(method, uri, event string, o *transaction.Outcome) {
	m.failed.Add(1)
	m.env.Log.Warn("pua: a "+method+" is refused", "uri", uri, "event", event, "code", o.Code, "reason", string(o.Reason))
}

// unsent tells that one could not be sent.
func (m *Module) unsent(method, uri, event string, err error) {
	m.failed.Add(1)
	m.env.Log.Warn("pua: a "+method+" cannot be sent", "uri", uri, "event", event, "error", err)
}
