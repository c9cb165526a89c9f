// Package pua_usrloc is OpenSIPS' module pua_usrloc: who registers is published as present, for
// phones that know no presence. The last contact's end publishes that the user is away.
package pua_usrloc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
)

type module struct {
	domain, prefix, server string
	pua                    *pua.Module
	env                    *script.Env
	marks                  *marks
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{marks: newMarks()}
	return &script.Module{
		Name: "pua_usrloc", Help: "Publishes that users are there while they are registered.", Needs: []string{"pua", "usrloc"}, Instance: m,
		Parameters: []script.Parameter{
			{Name: "default_domain", Type: script.StringParam, Help: "The domain of users whose address of record has none; by default that of the REGISTER's To.", Set: script.NonEmpty(&m.domain)},
			{Name: "entity_prefix", Type: script.StringParam, Help: "The scheme of the document's entity, pres for instance; by default sip.", Set: func(v script.Literal) error {
				if !sipframe.IsToken([]byte(v.Text)) {
					return fmt.Errorf("is a scheme of URIs: found %q", v.Text)
				}
				m.prefix = v.Text
				return nil
			}},
			{Name: "presence_server", Type: script.StringParam, Help: "URI of the server that PUBLISH is sent to; by default by the user's URI.", Set: pua.Server(&m.server)},
		},
		Functions: []script.Function{{Name: "pua_set_publish", Usage: "pua_set_publish()", Help: "Has the user of the REGISTER published, once its contacts are saved.",
			Routes: script.Routes(script.RequestRoute), Build: m.set}},
		Check: func(l *script.Loading) {
			m.pua, _ = l.Instance("pua").(*pua.Module)
			if u, ok := l.Instance("usrloc").(*usrloc.Module); ok {
				u.Watch(m.changed)
			}
		},
		Start: func(e *script.Env) error {
			m.env = e
			if old, ok := e.Previous.(*module); ok {
				m.marks = old.marks
			}
			return nil
		},
	}
}

var errRegister = errors.New("pua_set_publish() is for a REGISTER with a user in To")

func (m *module) set(a *script.Args) script.Action {
	at := a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		to, err := msg.To()
		var u sipframe.URI
		if msg.Method() != sipframe.REGISTER || err != nil || sipframe.ParseURI(msg.Bytes(to.URI), &u) != nil || !u.HasUser() {
			return x.Fail(at, errRegister.Error())
		}
		uri := msg.Bytes(to.URI)
		if !m.marks.put(string(u.User.In(uri)), string(u.Host.In(uri)), x.Now().Unix()) {
			x.Say(at, script.LevelWarn, "pua_usrloc: too many users are published")
			return -1
		}
		return 1
	}
}

// closedFor is how long it stays published that a user is away, in seconds, or pua's min_expires.
const closedFor = 300

// changed is told of each change of a contact.
func (m *module) changed(_ string, c *location.Change) {
	if m.env == nil || c.Kind == location.AORInserted || c.Kind == location.Deleted {
		return
	}
	user, domain, ok := m.marks.get(c.AOR, c.Kind == location.AORDeleted)
	if !ok {
		return
	}
	if m.domain != "" && !strings.Contains(c.AOR, "@") {
		domain = m.domain
	}
	basic, expires := "open", int64(-1)
	switch {
	case c.Kind == location.AORDeleted:
		basic, expires = "closed", closedFor
	case c.Contact.Expires != 0:
		expires = max(c.Contact.Expires-time.Now().Unix(), 1)
	}
	p := pua.Publication{URI: "sip:" + user + "@" + domain, Event: "presence", ID: "usrloc", Type: "application/pidf+xml", Body: m.document(user+"@"+domain, basic), Expires: expires, Proxy: m.server}
	if err := m.pua.Publish(nil, p); err != nil {
		m.env.Log.Warn("pua_usrloc: a user is not published", "user", user, "error", err)
	}
}

// document says whether somebody is there (RFC 3863).
func (m *module) document(who, basic string) []byte {
	scheme := m.prefix
	if scheme == "" {
		scheme = "sip"
	}
	var name bytes.Buffer
	_ = xml.EscapeText(&name, []byte(scheme+":"+who)) // a Buffer takes all
	return fmt.Appendf(nil, "<?xml version=\"1.0\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"%s\"><tuple id=\"registered\"><status><basic>%s</basic></status></tuple></presence>\n", &name, basic)
}

// marks are the users that are to be published, by their addresses of record. Any goroutine.
type marks struct {
	mu   sync.Mutex
	list map[string]mark
}

// mark is a user. It lasts while contacts of theirs are changed.
type mark struct {
	user, domain string
	seen         bool  // contacts were saved
	since        int64 // unix second
}

const (
	maxMarks = 200000
	unsaved  = 60 // seconds that a REGISTER may take from pua_set_publish() to save()
)

func newMarks() *marks { return &marks{list: map[string]mark{}} }

// put marks a user, by both forms that its address of record may have. It reports whether there was room.
func (t *marks) put(user, domain string, now int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.list) >= maxMarks {
		for aor, k := range t.list {
			if !k.seen && now-k.since > unsaved {
				delete(t.list, aor) // its REGISTER was refused
			}
		}
		if len(t.list) >= maxMarks {
			return false
		}
	}
	for _, aor := range []string{user, user + "@" + domain} {
		aor = strings.ToLower(aor)
		k := t.list[aor]
		t.list[aor] = mark{user, domain, k.seen, now}
	}
	return true
}

// get finds the user of an address of record, and with last forgets them.
func (t *marks) get(aor string, last bool) (user, domain string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	aor = strings.ToLower(aor)
	k, ok := t.list[aor]
	switch {
	case ok && last:
		delete(t.list, aor)
		if !strings.Contains(aor, "@") {
			delete(t.list, strings.ToLower(k.user+"@"+k.domain))
		} else {
			delete(t.list, strings.ToLower(k.user))
		}
	case ok:
		k.seen = true
		t.list[aor] = k
	}
	return k.user, k.domain, ok
}
