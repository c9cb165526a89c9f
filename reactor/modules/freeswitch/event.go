package freeswitch

import (
	"encoding/json"
	"strconv"
)

// Event is what a server tells.
type Event struct {
	Name   string
	Sender string // the server's address
	Body   []byte // JSON, as it came
	fields map[string]any
}

// parseEvent reads the body of a frame of events.
func parseEvent(sender string, body []byte) (*Event, error) {
	e := &Event{Sender: sender, Body: body}
	if err := json.Unmarshal(body, &e.fields); err != nil {
		return nil, err
	}
	e.Name = e.Field("Event-Name")
	return e, nil
}

// Field is one of the event's texts, "" if it has none of the name.
func (e *Event) Field(name string) string {
	s, _ := e.fields[name].(string)
	return s
}

// Heartbeat is the event by which a server tells how much it has to do.
const Heartbeat = "HEARTBEAT"

// Load is how much a server has to do.
type Load struct {
	Idle          float64 // of the processors, from 0 to 1
	Sessions, Max float64
}

// Load reads a Heartbeat; false if it is none, or makes no sense.
func (e *Event) Load() (l Load, ok bool) {
	if e.Name != Heartbeat {
		return l, false
	}
	for _, n := range []struct {
		name  string
		to    *float64
		least float64
		scale float64
	}{{"Idle-CPU", &l.Idle, 0, 100}, {"Session-Count", &l.Sessions, 0, 1}, {"Max-Sessions", &l.Max, 1, 1}} {
		v, err := strconv.ParseFloat(e.Field(n.name), 64)
		if err != nil || !(v >= n.least && v <= 1<<31) {
			return l, false
		}
		*n.to = v / n.scale
	}
	l.Idle = min(l.Idle, 1)
	return l, true
}

// is reports whether a subscription to a name means the event: that of a CUSTOM event has its
// subclass behind it.
func (e *Event) is(name string) bool {
	return name == e.Name || name == "ALL" || e.Name == "CUSTOM" && name == "CUSTOM "+e.Field("Event-Subclass")
}
