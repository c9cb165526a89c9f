package presence

import (
	"strings"

	"sipreactor/reactor/script"
)

// The events that the script hears of.
const (
	eventPublish = "E_PRESENCE_PUBLISH"
	eventExposed = "E_PRESENCE_EXPOSED"
)

// published is what an event tells of a publication.
type published struct {
	of        resource
	expires   int64
	etag, old string // old is the one that a PUBLISH refers to, "" none
	body      string
}

func raisedEvents() []script.Event {
	params := []string{"user", "domain", "event", "expires", "etag", "old_etag", "body"}
	return []script.Event{
		{Name: eventPublish, Help: "A PUBLISH was taken.", Params: params},
		{Name: eventExposed, Help: "The command pres_expose has come to a publication.", Params: params},
	}
}

// raise tells the script of a publication.
func (m *Module) raise(event string, p *published) {
	if m.env == nil || !m.env.Heard(event) {
		return
	}
	_, aor, _ := strings.Cut(p.of.uri, ":")
	user, domain, _ := strings.Cut(aor, "@")
	m.env.Raise(event, script.TextParam("user", user), script.TextParam("domain", domain), script.TextParam("event", p.of.event),
		script.NumberParam("expires", p.expires), script.TextParam("etag", p.etag), script.TextParam("old_etag", p.old), script.TextParam("body", p.body))
}
