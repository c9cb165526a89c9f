package usrloc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/rpc"
)

// maxFound is how many contacts a search shows.
const maxFound = 50

// found is one contact that a search found.
type found struct {
	Table, AOR, Contact, Agent string
	Received                   string
	Left                       int64  // seconds; -1 is for ever
	Connection                 string // id of the one it came by; "" none
	Lost                       bool   // that has ended
}

// finding is the answer of ul_find.
type finding struct {
	Users, Contacts int64
	Expired         uint64
	Total           int // contacts that have the words
	Found           []found
}

// findCommand is ul_find (ours): the page asks it.
func (m *Module) findCommand() rpc.Command {
	return rpc.Command{Name: "ul_find", Aliases: []string{"usrloc:find"}, Module: "usrloc",
		Help:   "Finds contacts that have words in their address, URI, User-Agent or source, and counts all.",
		Params: []rpc.Param{{Name: "words", Optional: true}},
		Func: func(_ context.Context, a *rpc.Args) (any, error) {
			words := a.Text("words")
			return m.finder.Find(words, func(now time.Time) *finding { return m.search(strings.Fields(words), now.Unix()) }), nil
		}}
}

// search looks at all contacts; without words, at the first ones alone.
func (m *Module) search(words []string, now int64) *finding {
	r := &finding{Found: []found{}}
	for _, t := range m.list() {
		s := t.Stats()
		r.Users, r.Contacts, r.Expired = r.Users+s.Records, r.Contacts+s.Contacts, r.Expired+s.Expired
		t.Each(func(c *location.Contact) bool {
			if !c.Alive(now) || !holds(c, words) {
				return true
			}
			r.Total++
			if len(r.Found) < maxFound {
				r.Found = append(r.Found, foundOf(t.name, c, now))
			}
			return len(words) > 0 || len(r.Found) < maxFound
		})
	}
	if len(words) == 0 {
		r.Total = int(r.Contacts)
	}
	return r
}

func foundOf(table string, c *location.Contact, now int64) found {
	x := found{Table: table, AOR: c.AOR(), Contact: c.URI(), Agent: c.Agent(), Received: c.Received(), Left: -1, Lost: c.FlowLost}
	if c.Expires != 0 {
		x.Left = c.Expires - now
	}
	if c.Flow != 0 {
		x.Connection = strconv.FormatUint(uint64(c.Flow), 10)
	}
	return x
}

// holds reports whether a contact has each of the words in something of it.
func holds(c *location.Contact, words []string) bool {
	for _, w := range words {
		if !strings.Contains(c.AOR(), w) && !strings.Contains(c.URI(), w) && !strings.Contains(c.Agent(), w) &&
			!strings.Contains(c.Received(), w) {
			return false
		}
	}
	return true
}
