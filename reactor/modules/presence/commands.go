package presence

import (
	"cmp"
	"context"
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
		{Name: "subs_phtable_list", Aliases: []string{"presence:subs_phtable_list"}, Module: "presence", Help: "Lists the subscriptions, 10,000 at most.", Func: m.listSubscriptions},
		{Name: "pres_phtable_list", Aliases: []string{"presence:phtable_list"}, Module: "presence", Help: "Lists what presentities publish, 10,000 at most.", Func: m.listPresentities},
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

func (m *Module) listSubscriptions(context.Context, *rpc.Args) (any, error) {
	now := m.now()
	list := []listedSubscription{}
	m.state.mu.Lock()
	for _, x := range m.state.subs {
		if len(list) == maxListed {
			break
		}
		list = append(list, listedSubscription{x.of.uri, x.of.event, x.watcher, x.target, x.id.callID, max(0, x.expires-now)})
	}
	m.state.mu.Unlock()
	slices.SortFunc(list, func(a, b listedSubscription) int {
		return cmp.Or(cmp.Compare(a.Presentity, b.Presentity), cmp.Compare(a.Event, b.Event), cmp.Compare(a.CallID, b.CallID))
	})
	return map[string]any{"Subscriptions": list}, nil
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
