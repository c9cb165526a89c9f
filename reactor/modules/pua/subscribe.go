package pua

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// Subscription is whom a watcher of ours is to be told of.
type Subscription struct {
	URI, Watcher, Event string
	Expires             int64 // seconds; 0 ends it, less than 0 is default_expires
	Contact             string
	Proxy               string // where it is sent; "" by its URI
	// Done is told the answer to the first SUBSCRIBE; nil is nobody.
	Done func(o *transaction.Outcome)
}

// subscription is one of ours, and its dialog. The lock of the state guards it.
type subscription struct {
	upkeep
	key            subscriptionKey
	says           Subscription
	again          bool // another SUBSCRIBE follows the one under way
	callID, tag    string
	remote         string // the tag of the server, "" before it has answered
	target, routes string
	cseq           uint32
	renewed        bool // it was begun anew, and not answered since
}

// Subscribe subscribes, or ends a subscription. by is the Context of the goroutine, nil where it has none.
func (m *Module) Subscribe(by *proxy.Context, s Subscription) error {
	var u sipframe.URI
	for _, uri := range []string{s.URI, s.Watcher, s.Contact} {
		if sipframe.ParseURI([]byte(uri), &u) != nil {
			return errWords
		}
	}
	if s.Event == "" || strings.ContainsAny(s.Event, "\r\n\x00") {
		return errWords
	}
	key := subscriptionKey{s.URI, s.Event, s.Watcher}
	m.state.mu.Lock()
	r := m.state.subscriptions[key]
	if r == nil {
		if len(m.state.subscriptions) >= maxKept {
			m.state.mu.Unlock()
			return errFull
		}
		r = &subscription{key: key, callID: rand.Text(), tag: rand.Text()}
		m.state.subscriptions[key], m.state.calls[r.callID] = r, r
	}
	s.Expires = m.lasts(s.Expires)
	send := r.want(s.Expires)
	r.says, r.again = s, !send
	m.state.mu.Unlock()
	if send {
		m.subscribe(by, r)
	}
	return nil
}

// subscribe sends the SUBSCRIBE of a subscription that is busy.
func (m *Module) subscribe(by *proxy.Context, r *subscription) {
	m.state.mu.Lock()
	says, uri := r.says, r.says.URI
	expires := r.asks()
	if says.Expires == 0 {
		expires = 0
	}
	r.cseq++
	to := "<" + says.URI + ">"
	var h strings.Builder
	if r.remote != "" {
		to += ";tag=" + r.remote
		if r.routes != "" {
			fmt.Fprintf(&h, "Route: %s\r\n", r.routes)
		}
		if uri = r.target; uri == "" {
			uri = says.URI
		}
	}
	fmt.Fprintf(&h, "Event: %s\r\nExpires: %d\r\nContact: <%s>\r\n", says.Event, expires, says.Contact)
	q := &transaction.Request{
		Method: "SUBSCRIBE", URI: []byte(uri), CallID: []byte(r.callID), CSeq: r.cseq, From: fmt.Appendf(nil, "<%s>;tag=%s", says.Watcher, r.tag), To: []byte(to),
		Headers: []byte(h.String()),
	}
	if r.routes == "" {
		q.NextHop = []byte(says.Proxy)
	}
	r.again, r.says.Done = false, nil
	m.state.mu.Unlock()
	q.Done = func(o *transaction.Outcome) {
		if o.Code < 200 {
			return
		}
		again := m.subscribed(r, o, expires)
		if says.Done != nil {
			says.Done(o)
		}
		if again {
			m.subscribe(o.Context, r)
		}
	}
	if _, err := m.tm.Layer().Originate(by, q); err != nil {
		m.unsent("SUBSCRIBE", r.key.uri, r.key.event, err)
		m.state.mu.Lock()
		m.state.end(r)
		m.state.mu.Unlock()
	}
}

// end forgets a subscription. The lock is held.
func (t *state) end(r *subscription) {
	delete(t.subscriptions, r.key)
	delete(t.calls, r.callID)
}

// subscribed takes the answer to a SUBSCRIBE. It reports whether another one follows.
func (m *Module) subscribed(r *subscription, o *transaction.Outcome, asked int64) (again bool) {
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	switch {
	case o.Code < 300:
		r.learn(o.Message)
		granted := asked
		if n, err := strconv.ParseInt(header(o.Message, "Expires"), 10, 32); err == nil && n >= 0 {
			granted = min(granted, n)
		}
		r.grant(granted)
		if r.renewed = false; granted == 0 && !r.again {
			m.state.end(r)
			return false
		}
	case o.Code == 481 && r.remote != "" && asked > 0 && !r.renewed: // the server knows it no more (RFC 6665 4.1.2.2)
		delete(m.state.calls, r.callID)
		r.callID, r.tag, r.remote, r.target, r.routes, r.cseq, r.renewed = rand.Text(), rand.Text(), "", "", "", 0, true
		m.state.calls[r.callID] = r
		return true
	case o.Code == 423 && r.tooBrief(o, asked):
		return true
	default:
		m.refused("SUBSCRIBE", r.key.uri, r.key.event, o)
		m.state.end(r)
		return false
	}
	r.busy = r.again
	return r.again
}

// learn takes where later requests go from a 2xx (RFC 3261 12.1.2).
func (r *subscription) learn(msg *sipframe.Message) {
	if msg == nil {
		return
	}
	if to, err := msg.To(); err == nil && r.remote == "" {
		r.remote = string(msg.Bytes(to.Tag))
		list := ""
		for it := msg.RecordRoutes(); ; {
			v, ok := it.Next()
			if !ok {
				break
			}
			if list != "" {
				list = ", " + list
			}
			list = string(msg.Bytes(v)) + list
		}
		r.routes = list
	}
	if a, err := msg.Contact(); err == nil && a != nil && !a.Star {
		r.target = string(msg.Bytes(a.URI))
	}
}

// updateContact builds pua_update_contact().
func (m *Module) updateContact(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		if x.MethodName() == nil || string(x.MethodName()) != "NOTIFY" {
			return x.Fail(at, "it is for NOTIFY")
		}
		to, err := msg.To()
		contact, err2 := msg.Contact()
		if err != nil || err2 != nil || contact == nil || contact.Star {
			return -1
		}
		m.state.mu.Lock()
		defer m.state.mu.Unlock()
		r := m.state.calls[string(msg.CallID())]
		if r == nil || string(msg.Bytes(to.Tag)) != r.tag {
			return -1
		}
		r.target = string(msg.Bytes(contact.URI))
		return 1
	}
}
