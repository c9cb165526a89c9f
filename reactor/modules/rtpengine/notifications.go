package rtpengine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"sipreactor/reactor/modules/internal/relay"
	"sipreactor/reactor/script"
)

// eventNotification is raised for each notification of rtpengine.
const eventNotification = "E_RTPENGINE_NOTIFICATION"

// notified are the nodes of notifications that scripts can name; a DTMF event has all of them. Others are told to
// subscribers behind them.
var notified = []string{"type", "callid", "source_tag", "timestamp", "source_ip", "event", "duration", "volume"}

// maxNodes bounds the nodes of a notification.
const maxNodes = 64

// setNotifications reads notification_sock.
func (m *module) setNotifications(v script.Literal) error {
	at, err := netip.ParseAddrPort(v.Text)
	if err != nil || at.Port() == 0 {
		return fmt.Errorf("is no address and port, as 127.0.0.1:9999: %q", v.Text)
	}
	m.notifyAt = at
	return nil
}

// listen takes over the socket that rtpengine sends notifications to, as its option dtmf-log-dest says, or opens it. Whoever
// can send to that address can have events raised.
func (m *module) listen(old *module) (err error) {
	if !m.notifyAt.IsValid() {
		return nil
	}
	var before *relay.Notices[module]
	if old != nil {
		before = old.notify
	}
	m.notify, err = relay.TakeNotices(m, before, m.notifyAt.String(), func(n *relay.Notices[module]) (func(), error) {
		conn, err := net.ListenPacket("udp", m.notifyAt.String())
		if err != nil {
			return nil, fmt.Errorf("notification_sock: %w", err)
		}
		n.Go(func() { read(n, conn) })
		return func() { _ = conn.Close() }, nil
	})
	return err
}

// unlisten closes the socket, unless the next configuration has it.
func (m *module) unlisten(next *module) {
	if next == nil {
		m.notify.Leave(nil, nil)
		return
	}
	m.notify.Leave(next, next.notify)
}

func read(n *relay.Notices[module], conn net.PacketConn) {
	buf := make([]byte, 1<<16)
	for {
		size, from, err := conn.ReadFrom(buf)
		switch {
		case err == nil:
			m := n.Of()
			m.env.Guard(func(context.Context) { m.notification(buf[:size], from) })
		case !n.Again(err):
			return
		}
	}
}

// notification raises the event of a notification.
func (m *module) notification(text []byte, from net.Addr) {
	var nodes map[string]json.RawMessage
	if err := json.Unmarshal(text, &nodes); err != nil || len(nodes) > maxNodes {
		m.env.Log.Warn("rtpengine: a notification is no JSON object, or has too many nodes", slog.String("from", from.String()))
		return
	}
	if !m.env.Heard(eventNotification) {
		return
	}
	var params []script.Param
	for _, name := range notified {
		if v, ok := nodes[name]; ok {
			params = append(params, nodeParam(name, v))
			delete(nodes, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		params = append(params, nodeParam(name, nodes[name]))
	}
	m.env.Raise(eventNotification, params...)
}

// nodeParam is a node as a parameter: a text, a whole number, or else its JSON.
func nodeParam(name string, v json.RawMessage) script.Param {
	var text string
	if json.Unmarshal(v, &text) == nil && v[0] == '"' {
		return script.TextParam(name, text)
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return script.NumberParam(name, n)
	}
	return script.TextParam(name, string(v))
}
