package presence

import (
	"fmt"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/transaction"
)

// notify is a NOTIFY that is to be sent: what it says is settled under the lock.
type notify struct {
	to      *subscription
	request transaction.Request
}

// tell makes the NOTIFYs about a resource whose publications have changed. Watchers of
// that URI are left out: who publishes knows.
func (m *Module) tell(of resource, now int64, but string) (out []*notify) {
	for _, s := range m.state.watchers(of) {
		if but == "" || s.watcher != but {
			out = append(out, m.notify(s, now, ""))
		}
	}
	return out
}

// tellOfWatchers makes those about who watches a resource.
func (m *Module) tellOfWatchers(of resource, now int64) (out []*notify) {
	for name, e := range m.events {
		if w, ok := e.(WatcherEvent); ok && w.Of() == of.event {
			out = append(out, m.tell(resource{of.uri, name}, now, "")...)
		}
	}
	return out
}

// notify makes a NOTIFY; reason tells why the subscription is over, "" if it is not.
func (m *Module) notify(s *subscription, now int64, reason string) *notify {
	s.cseq++
	e := m.events[s.of.event]
	var h strings.Builder
	if s.routes != "" {
		fmt.Fprintf(&h, "Route: %s\r\n", s.routes)
	}
	event := s.of.event
	if s.eventID != "" {
		event += ";id=" + s.eventID
	}
	fmt.Fprintf(&h, "Event: %s\r\nContact: <%s>\r\n", event, s.contact)
	if reason != "" {
		fmt.Fprintf(&h, "Subscription-State: terminated;reason=%s\r\n", reason)
	} else {
		fmt.Fprintf(&h, "Subscription-State: active;expires=%d\r\n", max(0, s.expires-m.offset-now))
	}
	var body []byte
	if e != nil {
		if body = m.body(e, s, now); len(body) > 0 {
			fmt.Fprintf(&h, "Content-Type: %s\r\n", e.Type())
		}
	}
	return &notify{s, transaction.Request{
		Method: "NOTIFY", URI: []byte(s.target), CallID: []byte(s.id.callID), CSeq: s.cseq,
		From: fmt.Appendf(nil, "<%s>;tag=%s", s.local, s.id.toTag), To: fmt.Appendf(nil, "<%s>;tag=%s", s.watcher, s.id.fromTag),
		Headers: []byte(h.String()), Body: body, Socket: s.socket, Flow: s.flow,
	}}
}

func (m *Module) body(e Event, s *subscription, now int64) []byte {
	if v, ok := e.(NumberedEvent); ok {
		var body []byte
		if published := m.state.bodies(s.of, now); len(published) > 0 {
			body = e.Body(s.of.uri, published)
		}
		s.version++
		return v.Number(s.of.uri, body, s.version-1)
	}
	if w, ok := e.(WatcherEvent); ok {
		var list []Watcher
		for _, x := range m.state.watchers(resource{s.of.uri, w.Of()}) {
			list = append(list, Watcher{ID: x.id.toTag, URI: x.watcher})
		}
		s.version++
		return w.Watchers(s.of.uri, s.version-1, list)
	}
	published := m.state.bodies(s.of, now)
	if len(published) == 0 {
		if m.offline && m.offlineBody != nil && s.of.event == "presence" {
			return m.offlineBody(s.of.uri)
		}
		return nil
	}
	return e.Body(s.of.uri, published)
}

// send sends NOTIFYs, with the lock not held; by is the Context of a goroutine that has
// one. A subscription that its watcher does not
// know any more, or whose watcher is not there, ends (RFC 6665 4.2.2).
func (m *Module) send(by *proxy.Context, list []*notify) {
	for _, n := range list {
		m.notifies.Add(1)
		n.request.Done = func(o *transaction.Outcome) {
			if o.Code < 300 {
				return
			}
			m.lost.Add(1)
			gone := o.Code == 481 || o.Code == 404 || o.Code == 410 || o.Code == 489 || o.Code == 604
			if gone || o.Local && m.endOnTimeout {
				m.forget(o.Context, n.to)
			}
		}
		if _, err := m.tm.Layer().Originate(by, &n.request); err != nil {
			m.lost.Add(1)
			m.env.Log.Warn("presence: a NOTIFY cannot be sent", "watcher", n.to.watcher, "presentity", n.to.of.uri, "error", err)
		}
	}
}

// forget takes a subscription off whose watcher has none.
func (m *Module) forget(by *proxy.Context, s *subscription) {
	m.state.mu.Lock()
	var out []*notify
	if m.state.drop(s) {
		out = m.tellOfWatchers(s.of, m.now())
	}
	m.state.mu.Unlock()
	m.send(by, out)
}
