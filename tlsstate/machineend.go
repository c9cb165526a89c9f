package tlsstate

// end frees the coroutine.
func (m *machine) end() {
	if m.stop != nil {
		m.stop()
		m.next, m.stop = nil, nil
	}
}

func (m *machine) CloseNotify() error {
	switch m.phase {
	case Established, PeerClosed:
		if err := m.conn.CloseWrite(); err != nil {
			m.fail(m.classify(err))
			return m.failed
		}
		if m.phase == Established {
			m.step(Closing)
		} else {
			m.step(Closed)
		}
		return nil
	case Closing, Closed, Failed:
		return nil
	default:
		return m.misused("CloseNotify")
	}
}

func (m *machine) Stop() {
	if m.phase == Stopped {
		return
	}
	m.State()
	m.step(Stopped)
	m.end()
	m.t.free()
	m.memory.free()
	m.conn, m.cache, m.secrets = nil, nil, nil
	live.Add(-1)
}
