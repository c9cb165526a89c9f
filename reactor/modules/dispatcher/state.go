package dispatcher

import (
	"context"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// event is raised when a destination begins or ceases to get calls.
const event = "E_DISPATCHER_STATUS"

// byOperator is why a state is as it is when the management interface has set it.
const byOperator = "management interface"

// set changes the state of a destination, and tells who wants to know.
func (m *module) set(p *partition, d *Destination, s destination.State, why string) {
	was := d.Health.State()
	if d.Health.Set(s, why, time.Now(), &m.policy) {
		m.changed(p, d, was, s, why)
	}
}

// changed tells of a change of state: the log, the event, and with persistent_state
// the database.
func (m *module) changed(p *partition, d *Destination, was, is destination.State, why string) {
	m.log.Info("dispatcher: a destination is "+is.String(), "partition", p.name, "set", d.Row.Set, "destination", d.URI(), "was", was.String(), "why", why)
	p.events.Reportf("DESTINATION <%s>, set %d switched to [%s] due to %s", d.URI(), d.Row.Set, strings.ToLower(is.String()), why)
	if p.persistent && p.db != nil {
		p.mu.Lock()
		p.dirty[key{d.Row.Set, d.Row.URI}] = is
		p.mu.Unlock()
	}
	if (was == destination.Active) == (is == destination.Active) || m.env == nil || !m.env.Heard(event) {
		return
	}
	status := "inactive"
	if is == destination.Active {
		status = "active"
	}
	m.env.Raise(event, script.TextParam("partition", p.name), script.NumberParam("group", int64(d.Row.Set)),
		script.TextParam("address", d.URI()), script.TextParam("status", status))
}

// flushEvery is how long a state may wait for the database.
const flushEvery = 5 * time.Second

// flush writes the states that have changed to the table. What cannot be written
// waits for the next time.
func (m *module) flush(ctx context.Context) {
	for _, p := range m.partitions {
		p.flush(ctx, m)
	}
}

func (p *partition) flush(ctx context.Context, m *module) {
	p.mu.Lock()
	if len(p.dirty) == 0 || p.db == nil {
		p.mu.Unlock()
		return
	}
	dirty := p.dirty
	p.dirty = map[key]destination.State{}
	p.mu.Unlock()
	c := &m.columns
	for at, s := range dirty {
		_, err := p.db.Update(ctx, p.table, []store.Set{{Column: c.state, Value: store.Int(int64(s))}},
			store.Equal(c.set, store.Int(int64(at.set))), store.Equal(c.destination, store.String(at.uri)))
		if err == nil {
			continue
		}
		m.log.Warn("dispatcher: a state is not in the database", "partition", p.name, "set", at.set, "destination", at.uri, "state", s.String(), "why", err)
		if !store.Unreachable(err) {
			continue // it will not be better the next time
		}
		p.mu.Lock()
		if _, newer := p.dirty[at]; !newer {
			p.dirty[at] = s
		}
		p.mu.Unlock()
	}
}
