package loadbalancer

import (
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
)

// set enables or disables a destination, and tells who wants to know.
func (m *module) set(d *Destination, s destination.State, why string) {
	if d.Health.Set(s, why, time.Now(), &m.policy) {
		m.changed(d, why)
	}
}

func (m *module) changed(d *Destination, why string) {
	status := "disabled"
	if d.Health.State() == destination.Active {
		status = "enabled"
	}
	m.log.Info("load_balancer: a destination is "+status, "id", d.Row.ID, "group", d.Row.Group, "destination", d.URI(), "why", why)
	if m.env != nil && m.env.Heard(event) {
		m.env.Raise(event, script.NumberParam("group", int64(d.Row.Group)), script.TextParam("uri", d.URI()), script.TextParam("status", status))
	}
}

// disable takes out a destination that a call has failed at; with a probe mode it is
// pinged until it answers.
func (m *module) disable(d *Destination) {
	if d.Health.State() != destination.Active {
		return
	}
	if d.Row.Probe == NeverProbe {
		m.set(d, destination.Inactive, "script")
		return
	}
	m.set(d, destination.Probing, "script")
}

// pings lists the pings of a round.
func (m *module) pings() (list []destination.Probe) {
	for _, d := range m.rows.Get().All {
		s := d.Health.State()
		if s == destination.Probing && d.Row.Probe != NeverProbe || s == destination.Active && d.Row.Probe == ProbeAlways {
			list = append(list, m.ping(d))
		}
	}
	return list
}

func (m *module) ping(d *Destination) destination.Probe {
	return destination.Probe{
		Ping:  destination.Ping{Method: m.probing.method, From: m.probing.from, URI: d.URI(), MaxForwards: -1},
		Heard: func(code int, err error) { m.heard(d, code, err) },
	}
}

// heard takes what became of a ping.
func (m *module) heard(d *Destination, code int, err error) {
	why := destination.Told(code, err)
	changed := false
	if m.probing.codes.Alive(code, err) {
		changed = d.Health.Pong(why, time.Now(), &m.policy)
	} else {
		changed = d.Health.Miss(1, why, time.Now())
	}
	if changed {
		m.changed(d, why)
	}
}
