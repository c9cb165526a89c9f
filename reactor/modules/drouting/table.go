package drouting

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/modules/internal/recurrence"
)

// RuleRow is a row of dr_rules.
type RuleRow struct {
	ID       int64
	Groups   string // numbers separated by commas
	Prefix   string
	Times    string // a recurrence, "" always
	Priority int
	Route    string // of the script, "" none
	Members  string // gateways and carriers
	Sort     Sort
	Attrs    *string
}

// rule is a RuleRow as it is kept: texts that many rules share are numbers.
type rule struct {
	id                          int64
	times, route, attrs, member int32 // of the Table's lists
	sort                        Sort
}

// Table is what was loaded for a partition.
type Table struct {
	Gateways []*Gateway // in the order of the table
	Carriers []*Carrier
	Loaded   time.Time
	tally    manage.Tally // of the load

	gateway map[string]*Gateway
	carrier map[string]*Carrier
	byAddr  map[netip.Addr][]*Gateway
	groups  map[user]int

	trie    *trie
	rules   []rule
	times   []recurrence.Expression // [0] is always
	routes  []string                // [0] is none
	attrs   []*string               // [0] is NULL
	members [][]member
}

// user is a caller of dr_groups; the domain is "" where it does not count.
type user struct{ name, domain string }

// Rules gives how many rules there are.
func (t *Table) Rules() int { return len(t.rules) }

// Gateway and Carrier give one by its id, nil if there is none.
func (t *Table) Gateway(id string) *Gateway { return t.gateway[id] }

// Carrier gives a carrier by its id, nil if there is none.
func (t *Table) Carrier(id string) *Carrier { return t.carrier[id] }

// builder makes a Table of rows that come one by one.
type builder struct {
	t      *Table
	codes  [128]int8
	places []place
	// What has been seen, to keep each text once.
	times   map[string]int32
	routes  map[string]int32
	attrs   map[string]int32
	members map[string]int32
}

func newBuilder(extraPrefix string, now time.Time) (*builder, error) {
	codes, err := newAlphabet(extraPrefix)
	return &builder{
		t: &Table{Loaded: now, gateway: map[string]*Gateway{}, carrier: map[string]*Carrier{}, byAddr: map[netip.Addr][]*Gateway{},
			groups: map[user]int{}, times: []recurrence.Expression{nil}, routes: []string{""}, attrs: []*string{nil}},
		codes: codes, times: map[string]int32{"": 0}, routes: map[string]int32{"": 0}, attrs: map[string]int32{}, members: map[string]int32{},
	}, err
}

// addGateway takes a gateway whose addresses are known.
func (b *builder) addGateway(g *Gateway) error {
	if b.t.gateway[g.Row.ID] != nil {
		return fmt.Errorf("gateway %s is there twice", g.Row.ID)
	}
	g.finish()
	b.t.Gateways = append(b.t.Gateways, g)
	b.t.gateway[g.Row.ID] = g
	var last netip.Addr
	for _, a := range g.Address.Addrs {
		if a.Addr() != last {
			last = a.Addr()
			b.t.byAddr[last] = append(b.t.byAddr[last], g)
		}
	}
	return nil
}

// addCarrier takes a carrier, behind all gateways. Missing are gateways of its
// list that are not there.
func (b *builder) addCarrier(c *Carrier) (missing []string, err error) {
	if b.t.carrier[c.Row.ID] != nil {
		return nil, fmt.Errorf("carrier %s is there twice", c.Row.ID)
	}
	if c.members, missing, err = parseMembers(c.Row.Gateways, b.t.gateway, nil); err != nil {
		return nil, err
	}
	for _, m := range c.members {
		if m.gateway.carrier == nil {
			m.gateway.carrier = c
		}
	}
	b.t.Carriers = append(b.t.Carriers, c)
	b.t.carrier[c.Row.ID] = c
	return missing, nil
}

// addRule takes a rule, behind all carriers. Missing are gateways and carriers
// that are not there; a rule that has none left is an error.
func (b *builder) addRule(r *RuleRow) (missing []string, err error) {
	prefix, err := encode(&b.codes, strings.TrimSpace(r.Prefix))
	if err != nil {
		return nil, &ruleFault{rulePrefix, err}
	}
	groups, err := parseGroups(r.Groups)
	if err != nil {
		return nil, &ruleFault{ruleGroups, err}
	}
	if r.Priority < math.MinInt32 || r.Priority > math.MaxInt32 {
		return nil, &ruleFault{rulePriority, fmt.Errorf("%d is out of range", r.Priority)}
	}
	one := rule{id: r.ID, sort: r.Sort}
	if one.times, err = b.time(strings.TrimSpace(r.Times)); err != nil {
		return nil, &ruleFault{ruleTimes, err}
	}
	if one.member, missing, err = b.list(r.Members); err != nil {
		return nil, &ruleFault{ruleMembers, err}
	}
	one.route = intern(b.routes, strings.TrimSpace(r.Route), &b.t.routes)
	if r.Attrs != nil {
		n, ok := b.attrs[*r.Attrs]
		if !ok {
			n = int32(len(b.t.attrs))
			b.attrs[*r.Attrs] = n
			b.t.attrs = append(b.t.attrs, r.Attrs)
		}
		one.attrs = n
	}
	at := uint32(len(b.t.rules))
	b.t.rules = append(b.t.rules, one)
	for _, g := range groups {
		b.places = append(b.places, place{g, at, int32(r.Priority), prefix})
	}
	return missing, nil
}

// ruleFault is what is wrong with a column of a rule.
type ruleFault struct {
	column int
	error
}

// The columns of a rule, as they are read.
const (
	ruleGroups = iota
	rulePrefix
	ruleMembers
	ruleID
	ruleTimes
	rulePriority
	ruleRoute
	ruleSort
	ruleAttrs
)

// time gives the number of a recurrence.
func (b *builder) time(s string) (int32, error) {
	n, ok := b.times[s]
	if !ok {
		if strings.Trim(s, "| ") == "" { // as OpenSIPS' tools write one that is always
			return 0, nil
		}
		e, err := recurrence.Parse(s)
		if err != nil {
			return 0, err
		}
		n = int32(len(b.t.times))
		b.times[s] = n
		b.t.times = append(b.t.times, e)
	}
	return n, nil
}

// list gives the number of a list of gateways and carriers.
func (b *builder) list(s string) (n int32, missing []string, err error) {
	n, ok := b.members[s]
	if ok {
		return n, nil, nil
	}
	list, missing, err := parseMembers(s, b.t.gateway, b.t.carrier)
	switch {
	case err != nil:
		return 0, nil, err
	case len(list) == 0 && len(missing) > 0:
		return 0, nil, fmt.Errorf("none of its gateways and carriers is there: %s", strings.Join(missing, ", "))
	}
	n = int32(len(b.t.members))
	b.members[s] = n
	b.t.members = append(b.t.members, list)
	return n, missing, nil
}

func intern(seen map[string]int32, s string, list *[]string) int32 {
	n, ok := seen[s]
	if !ok {
		n = int32(len(*list))
		seen[s] = n
		*list = append(*list, s)
	}
	return n
}

// addGroup takes a row of dr_groups.
func (b *builder) addGroup(name, domain string, group int) {
	key := user{name, strings.ToLower(domain)}
	if _, ok := b.t.groups[key]; !ok {
		b.t.groups[key] = group
	}
}

// table ends the making.
func (b *builder) table() *Table {
	b.t.trie = newTrie(b.codes, b.places)
	return b.t
}

// parseGroups reads the column groupid.
func parseGroups(s string) (list []int32, err error) {
	for part := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ',' || c == ';' || c == ' ' }) {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no list of numbers", s)
		}
		list = append(list, int32(n))
	}
	if len(list) == 0 {
		return nil, errors.New("is empty")
	}
	return list, nil
}
