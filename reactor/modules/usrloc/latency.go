package usrloc

import "time"

// Answered keeps how long the answer to a ping of a contact took, and tells of it.
func (m *Module) Answered(table, aor string, id uint64, took time.Duration) {
	m.mu.Lock()
	t := m.tables[table]
	m.mu.Unlock()
	if t == nil {
		return
	}
	now := max(1, min(took.Microseconds(), 1<<32-1))
	before, ok := t.SetLatency(aor, id, uint32(now))
	if !ok || m.env == nil || !m.env.Heard(eventLatency) {
		return
	}
	change := max(now-int64(before.Latency), int64(before.Latency)-now)
	byLevel, byChange := m.minLatency > 0 && now >= m.minLatency, m.minChange > 0 && change >= m.minChange
	if m.minLatency == 0 && m.minChange == 0 || byLevel || byChange {
		before.Latency = uint32(now)
		m.raise(eventLatency, table, &before)
	}
}

// Pinged notes whether a contact has answered a ping, and returns how many it has not, one behind the other.
func (m *Module) Pinged(table, aor string, id uint64, answered bool) int {
	m.mu.Lock()
	t := m.tables[table]
	m.mu.Unlock()
	if t == nil {
		return 0
	}
	return t.SetPinged(aor, id, answered)
}
