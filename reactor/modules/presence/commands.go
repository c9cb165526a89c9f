package presence

import (
	"cmp"
	"context"
	"path"
	"regexp"
	"slices"
	"time"

	"sipreactor/reactor/rpc"
)

func (m *Module) now() int64 { return time.Now().Unix() }

// size counts subscriptions and publications.
func (s *state) size() (subscriptions, publications int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs), s.count
}

// maxListed bounds what one command lists.
const maxListed = 10_000

func (m *Module) commands() []rpc.Command {
	return []rpc.Command{
		{Name: "subs_phtable_list", Aliases: []string{"presence:subs_phtable_list"}, Module: "presence", Help: "Lists the subscriptions, 10,000 at most, of watchers (from) and presentities (to) that match wildcards.",
			Params: []rpc.Param{{Name: "from", Optional: true}, {Name: "to", Optional: true}}, Func: m.listSubscriptions},
		{Name: "pres_phtable_list", Aliases: []string{"presence:phtable_list"}, Module: "presence", Help: "Lists what presentities publish, 10,000 at most.", Func: m.listPresentities},
		{Name: "refresh_watchers", Aliases: []string{"presence:refresh_watchers"}, Module: "presence", Help: "Notifies the watchers of a presentity anew.",
			Params: []rpc.Param{{Name: "presentity_uri"}, {Name: "event"}, {Name: "refresh_type", Kind: rpc.Integer}}, Func: m.refreshWatchers},
		{Name: "cleanup", Aliases: []string{"presence:cleanup"}, Module: "presence", Help: "Takes off what is over at once.",
			Func: func(context.Context, *rpc.Args) (any, error) { m.sweep(m.now()); return "OK", nil }},
		{Name: "pres_expose", Aliases: []string{"presence:expose"}, Module: "presence", Help: "Raises E_PRESENCE_EXPOSED for what presentities publish, of those whose URI a regular expression matches.",
			Params: []rpc.Param{{Name: "event"}, {Name: "filter", Optional: true}}, Func: m.expose},
	}
}

type listedSubscription struct {
	Presentity string `json:"pres_uri"`
	Event      string `json:"event"`
	Watcher    string `json:"watcher"`
	Contact    string `json:"contact"`
	CallID     string `json:"callid"`
	Expires    int64  `json:"expires"`
}

func (m *Module) listSubscriptions(_ context.Context, a *rpc.Args) (any, error) {
	now := m.now()
	from, to := a.Text("from"), a.Text("to")
	list := []listedSubscription{}
	m.state.mu.Lock()
	for _, x := range m.state.subs {
		if len(list) == maxListed {
			break
		}
		if !matches(from, x.watcher) || !matches(to, x.of.uri) {
			continue
		}
		list = append(list, listedSubscription{x.of.uri, x.of.event, x.watcher, x.target, x.id.callID, max(0, x.expires-now)})
	}
	m.state.mu.Unlock()
	slices.SortFunc(list, func(a, b listedSubscription) int {
		return cmp.Or(cmp.Compare(a.Presentity, b.Presentity), cmp.Compare(a.Event, b.Event), cmp.Compare(a.CallID, b.CallID))
	})
	return map[string]any{"Subscriptions": list}, nil
}

// matches reports whether a wildcard is that of a URI; "" is of all.
func matches(wildcard, uri string) bool {
	ok, err := path.Match(wildcard, uri)
	return wildcard == "" || err == nil && ok
}

type listedPresentity struct {
	URI          string `json:"pres_uri"`
	Event        string `json:"event"`
	Publications int    `json:"publish_count"`
}

func (m *Module) listPresentities(context.Context, *rpc.Args) (any, error) {
	list := []listedPresentity{}
	m.state.mu.Lock()
	for of, published := range m.state.state {
		if len(list) == maxListed {
			break
		}
		list = append(list, listedPresentity{of.uri, of.event, len(published)})
	}
	m.state.mu.Unlock()
	slices.SortFunc(list, func(a, b listedPresentity) int {
		return cmp.Or(cmp.Compare(a.URI, b.URI), cmp.Compare(a.Event, b.Event))
	})
	return map[string]any{"Presentities": list}, nil
}

func (m *Module) refreshWatchers(_ context.Context, a *rpc.Args) (any, error) {
	of := resource{a.Text("presentity_uri"), a.Text("event")}
	if n := a.Int("refresh_type"); n != 0 && n != 1 {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "refresh_type is 0 or 1"}
	}
	if m.events[of.event] == nil {
		return nil, errEvent
	}
	m.state.mu.Lock()
	out := m.tell(of, m.now(), "")
	m.state.mu.Unlock()
	m.send(nil, out)
	return "OK", nil
}

var (
	errEvent  = &rpc.Error{Code: rpc.CodeNotFound, Message: "Event not found"}
	errFilter = &rpc.Error{Code: rpc.CodeParams, Message: "Bad filter"}
)

func (m *Module) expose(_ context.Context, a *rpc.Args) (any, error) {
	event := a.Text("event")
	filter, err := regexp.Compile(a.Text("filter"))
	switch {
	case err != nil:
		return nil, errFilter
	case m.events[event] == nil:
		return nil, errEvent
	}
	now := m.now()
	var list []published
	m.state.mu.Lock()
	for of, all := range m.state.state {
		if of.event != event || !filter.MatchString(of.uri) {
			continue
		}
		for _, p := range all {
			if p.expires > now && len(list) < maxListed {
				list = append(list, published{of: of, expires: p.expires - now, etag: p.etag, body: string(p.body)})
			}
		}
	}
	m.state.mu.Unlock()
	slices.SortFunc(list, func(a, b published) int { return cmp.Or(cmp.Compare(a.of.uri, b.of.uri), cmp.Compare(a.etag, b.etag)) })
	for i := range list {
		m.raise(eventExposed, &list[i])
	}
	return "OK", nil
}
