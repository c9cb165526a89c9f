package dialog

import (
	"context"
	"slices"
	"strings"
	"time"

	core "sipreactor/reactor/dialog"
	"sipreactor/reactor/rpc"
	"sipreactor/sipframe"
)

// Bounds of what a search shows.
const (
	maxFound  = 50
	maxCounts = 20
)

// found is one call that a search found. Numbers are masked unless show_numbers says otherwise.
type found struct {
	ID             string
	From, To       string
	Caller, Callee string // where they are
	State          string // calling, ringing, answered (without its ACK), running
	Since          int64  // unix seconds of the answer; 0 none
	For            int64  // seconds since then
	Profiles       []string
}

// counted is how many calls a profile has with a value.
type counted struct {
	Name, Value string
	Calls       int
}

// finding is the answer of dlg_find.
type finding struct {
	Active, Early int64
	Profiles      []counted
	Total         int // calls that have the words
	Found         []found
}

// findCommand is dlg_find (ours): the page asks it.
func (m *Module) findCommand() rpc.Command {
	return rpc.Command{Name: "dlg_find", Aliases: []string{"dialog:find"}, Module: "dialog",
		Help:   "Finds calls that have words in what it shows of them: parties, state, profiles; the youngest first. It counts all.",
		Params: []rpc.Param{{Name: "words", Optional: true}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			words := a.Text("words")
			return m.finder.Find(words, func(now time.Time) *finding { return m.search(strings.Fields(words), now.Unix()) }), nil
		}}
}

// search looks at all calls. Words are sought in what is shown alone: a masked number cannot be guessed by them.
func (m *Module) search(words []string, now int64) *finding {
	s := m.dialogs.Stats()
	r := &finding{Active: s.Active, Early: s.Early, Profiles: m.counts(), Found: []found{}}
	younger := func(a, b *core.Dialog) int {
		if a.Created != b.Created {
			return int(b.Created - a.Created)
		}
		return int(int64(b.ID.Number) - int64(a.ID.Number))
	}
	var first []*core.Dialog // the youngest, in order
	m.dialogs.Each(func(d *core.Dialog) bool {
		if d.State() == core.Ended || len(words) > 0 && !holds(m.foundOf(d, now), words) {
			return true
		}
		r.Total++
		if len(first) == maxFound && younger(d, first[maxFound-1]) > 0 {
			return true
		}
		at, _ := slices.BinarySearchFunc(first, d, younger)
		if first = slices.Insert(first, at, d); len(first) > maxFound {
			first = first[:maxFound]
		}
		return true
	})
	for _, d := range first {
		r.Found = append(r.Found, m.foundOf(d, now))
	}
	return r
}

// counts gives the values that most calls have, by profile.
func (m *Module) counts() []counted {
	list := []counted{}
	for _, name := range m.order {
		calls := make(map[string]int)
		for _, v := range m.profiles[name].Values() {
			calls[m.shownValue(v.Value)] += v.Count
		}
		from := len(list)
		for v, n := range calls {
			list = append(list, counted{name, v, n})
		}
		slices.SortFunc(list[from:], func(a, b counted) int {
			if a.Calls != b.Calls {
				return b.Calls - a.Calls
			}
			return strings.Compare(a.Value, b.Value)
		})
		list = list[:min(len(list), from+maxCounts)]
	}
	return list
}

func (m *Module) foundOf(d *core.Dialog, now int64) found {
	s := d.Summary()
	f := found{ID: d.ID.String(), From: m.shownURI(d.FromURI), To: m.shownURI(d.ToURI), Caller: m.shownURI(s.Caller.Contact),
		State: [...]string{"", "calling", "ringing", "answered", "running", "ended"}[s.State], Since: s.Started, Profiles: []string{}}
	if s.Started != 0 {
		f.For = max(0, now-s.Started)
	}
	if i := max(s.Callee, 0); i < len(s.Callees) {
		f.Callee = m.shownURI(s.Callees[i].Contact)
	}
	for _, p := range s.Profiles {
		name := p.Profile.Name
		if p.Value != "" {
			name += " " + m.shownValue(p.Value)
		}
		f.Profiles = append(f.Profiles, name)
	}
	return f
}

// holds reports whether a call has each of the words in something that is shown of it.
func holds(f found, words []string) bool {
	for _, w := range words {
		has := func(s string) bool { return strings.Contains(s, w) }
		if !has(f.From) && !has(f.To) && !has(f.Caller) && !has(f.Callee) && !has(f.State) && !has(f.ID) && !slices.ContainsFunc(f.Profiles, has) {
			return false
		}
	}
	return true
}

// shownURI is a URI as the page shows it: user and place.
func (m *Module) shownURI(uri string) string {
	if uri == "" {
		return ""
	}
	var u sipframe.URI
	b := []byte(uri)
	if sipframe.ParseURI(b, &u) != nil || u.User.Len+u.HostPort.Len == 0 {
		return m.shownUser(uri)
	}
	user, host := m.shownUser(string(u.User.In(b))), string(u.HostPort.In(b))
	if user == "" || host == "" {
		return user + host
	}
	return user + "@" + host
}

// shownValue is the value of a profile as the page shows it.
func (m *Module) shownValue(v string) string {
	user, host, at := strings.Cut(v, "@")
	if !at {
		return m.shownUser(v)
	}
	return m.shownUser(user) + "@" + host
}

// A text with so many digits is a number.
const numberDigits = 5

// shownUser masks the middle of a number.
func (m *Module) shownUser(user string) string {
	digits := 0
	for _, c := range user {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	r := []rune(user)
	if m.showNumbers || digits < numberDigits {
		return user
	}
	if len(r) < 8 {
		return string(r[:1]) + "…"
	}
	return string(r[:3]) + "…" + string(r[len(r)-2:])
}
