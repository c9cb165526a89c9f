package nat_traversal

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"sipreactor/reactor"
)

// The state file has a line for each place over UDP: its URI, the listener that it is kept by, and until when it is for a
// registration and for a subscription, in unix seconds.

// save writes the state file, if something has changed.
func (m *module) save() {
	if m.path == "" || !m.kept.changed() {
		return
	}
	if err := m.write(); err != nil {
		m.env.Log.Warn("nat_traversal: the state file is not written", "file", m.path, "error", err)
	}
}

func (m *module) write() (err error) {
	f, err := os.OpenFile(m.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, line := range m.kept.lines(time.Now().Unix()) {
		_, _ = w.WriteString(line) // Flush tells
	}
	if err = errors.Join(w.Flush(), f.Close()); err == nil {
		err = os.Rename(m.path+".new", m.path)
	}
	return err
}

// restore reads the state file. A line that is not in order is passed over.
func (m *module) restore() {
	if m.path == "" {
		return
	}
	f, err := os.Open(m.path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.env.Log.Warn("nat_traversal: the state file is not read", "file", m.path, "error", err)
		}
		return
	}
	defer f.Close()
	now := time.Now().Unix()
	in := bufio.NewScanner(f)
	for in.Scan() {
		var uri, socket string
		var registered, subscribed int64
		if n, _ := fmt.Sscan(in.Text(), &uri, &socket, &registered, &subscribed); n != 4 || max(registered, subscribed) <= now {
			continue
		}
		p, ok := placeOf([]byte(uri))
		s := m.listener(socket)
		if !ok || s == nil || p.proto != reactor.UDP {
			continue
		}
		m.kept.change(p, func(e *endpoint) {
			e.socket, e.registered, e.subscribed = s, min(registered, now+longest), min(subscribed, now+longest)
		})
	}
	if err := in.Err(); err != nil {
		m.env.Log.Warn("nat_traversal: the state file is not read to its end", "file", m.path, "error", err)
	}
}

// changed reports whether something has changed since it was last asked.
func (t *table) changed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.dirty
	t.dirty = false
	return was
}

// lines are those of the state file.
func (t *table) lines(now int64) (list []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, turn := range t.turns {
		for p, e := range turn {
			if p.proto == reactor.UDP && e.socket != nil && max(e.registered, e.subscribed) > now {
				list = append(list, fmt.Sprintf("%s %s:%s %d %d\n", p.uri(), e.socket.Proto, e.socket.Addr, e.registered, e.subscribed))
			}
		}
	}
	return list
}
