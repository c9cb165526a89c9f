package pua

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// Publication is what a presentity is to be published with.
type Publication struct {
	URI, Event string
	ID         string // tells apart what several modules publish of one URI
	Type       string // of the body
	Body       []byte // nil leaves what was published as it is
	Expires    int64  // seconds; 0 takes it away, less than 0 is default_expires
	Headers    string // further header lines
	Proxy      string // where it is sent; "" by its URI
	ETag       string // the entity tag that the server has; "" as it is known
	// Done is told the answer to the PUBLISH that says this, unless a newer one replaces it; nil is nobody.
	Done func(o *transaction.Outcome)
}

// publication is one of ours. The lock of the state guards it.
type publication struct {
	upkeep
	key   publicationKey
	says  Publication
	etag  string // the server's; "" it has none of it
	dirty bool   // the server does not have what it says
}

var (
	errFull  = errors.New("pua: there are too many publications or subscriptions")
	errWords = errors.New("pua: a URI, the event or a header is none")
)

// Publish publishes, or takes away what is published. by is the Context of the goroutine, nil
// where it has none. The error is why nothing is sent.
func (m *Module) Publish(by *proxy.Context, p Publication) error {
	var u sipframe.URI
	if sipframe.ParseURI([]byte(p.URI), &u) != nil || p.Event == "" || strings.ContainsAny(p.Event+p.Type+p.ETag, "\r\n\x00") {
		return errWords
	}
	if p.Headers != "" {
		if _, err := proxy.AppendHeaders(nil, []byte(p.Headers)); err != nil {
			return errWords
		}
	}
	key := publicationKey{p.URI, p.Event, p.ID}
	m.state.mu.Lock()
	r := m.state.publications[key]
	if r == nil {
		if p.Expires == 0 && p.ETag == "" {
			m.state.mu.Unlock()
			return nil // the server has nothing of it
		}
		if len(m.state.publications) >= maxKept {
			m.state.mu.Unlock()
			return errFull
		}
		r = &publication{key: key}
		m.state.publications[key] = r
	}
	if p.Body == nil {
		p.Type, p.Body = r.says.Type, r.says.Body
	} else {
		r.dirty = true
	}
	if p.ETag != "" {
		r.etag = p.ETag
	}
	p.Expires = m.lasts(p.Expires)
	r.says, r.until = p, 0
	send := r.want(p.Expires)
	m.state.mu.Unlock()
	if send {
		m.publish(by, r)
	}
	return nil
}

// publish sends the PUBLISH of a publication that is busy: by who made it so.
func (m *Module) publish(by *proxy.Context, r *publication) {
	m.state.mu.Lock()
	says, whole := r.says, r.dirty || r.etag == ""
	expires := r.asks()
	if says.Expires == 0 {
		expires, whole = 0, false
	}
	if expires == 0 && r.etag == "" {
		delete(m.state.publications, r.key)
		m.state.mu.Unlock()
		return
	}
	var h strings.Builder
	fmt.Fprintf(&h, "Event: %s\r\nExpires: %d\r\n", says.Event, expires)
	if r.etag != "" {
		fmt.Fprintf(&h, "SIP-If-Match: %s\r\n", r.etag)
	}
	var body []byte
	if whole && len(says.Body) > 0 {
		body = says.Body
		fmt.Fprintf(&h, "Content-Type: %s\r\n", says.Type)
	}
	r.dirty, r.says.Done, r.until = false, nil, 0
	m.state.mu.Unlock()
	if says.Headers != "" {
		h.WriteString(strings.TrimRight(says.Headers, "\r\n") + "\r\n")
	}
	who := []byte("<" + says.URI + ">")
	_, err := m.tm.Layer().Originate(by, &transaction.Request{
		Method: "PUBLISH", URI: []byte(says.URI), From: who, To: who, Headers: []byte(h.String()), Body: body, NextHop: []byte(says.Proxy),
		Done: func(o *transaction.Outcome) {
			if o.Code < 200 {
				return
			}
			again := m.published(r, o, expires)
			if says.Done != nil {
				says.Done(o)
			}
			if again {
				m.publish(o.Context, r)
			}
		},
	})
	if err != nil {
		m.unsent("PUBLISH", r.key.uri, r.key.event, err)
		m.state.mu.Lock()
		delete(m.state.publications, r.key)
		m.state.mu.Unlock()
	}
}

// published takes the answer to a PUBLISH. It reports whether another one follows.
func (m *Module) published(r *publication, o *transaction.Outcome, asked int64) (again bool) {
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	switch {
	case o.Code < 300 && asked == 0:
		r.etag = ""
	case o.Code < 300:
		granted := asked
		if n, err := strconv.ParseInt(header(o.Message, "Expires"), 10, 32); err == nil && n > 0 {
			granted = n
		}
		r.etag = header(o.Message, "SIP-ETag")
		r.grant(granted)
	case o.Code == 412 && r.etag != "":
		if r.etag, r.dirty = "", true; r.says.Expires != 0 {
			return true // from the beginning
		}
	case o.Code == 423 && r.tooBrief(o, asked):
		r.dirty = true
		return true
	default:
		m.refused("PUBLISH", r.key.uri, r.key.event, o)
		delete(m.state.publications, r.key)
		return false
	}
	switch {
	case r.dirty, r.says.Expires == 0 && r.etag != "":
		return true
	case r.etag == "":
		delete(m.state.publications, r.key)
	}
	r.busy = false
	return false
}

// header is the value of a header of a response, "" without.
func header(msg *sipframe.Message, name string) string {
	if msg == nil {
		return ""
	}
	if i := msg.FindName([]byte(name)); i >= 0 {
		return string(msg.Bytes(msg.Header(i).Value))
	}
	return ""
}

// Published reports whether something of ours is published of a URI. Any goroutine.
func (m *Module) Published(uri, event, id string) bool {
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	return m.state.publications[publicationKey{uri, event, id}] != nil
}

// Server makes the Set of a presence_server: the URI of where requests are sent.
func Server(to *string) func(script.Literal) error {
	return func(v script.Literal) error {
		var u sipframe.URI
		if sipframe.ParseURI([]byte(v.Text), &u) != nil {
			return fmt.Errorf("is no SIP URI: %q", v.Text)
		}
		*to = v.Text
		return nil
	}
}
