package loadbalancer

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"sipreactor/reactor/modules/freeswitch"
	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
)

// Row is a row of the table load_balancer.
type Row struct {
	ID          int
	Group       int
	URI         string
	Resources   string // name=capacity, separated by semicolons
	Probe       ProbeMode
	Attrs       *string // nil is NULL
	Description string
}

// ProbeMode is when a destination is pinged.
type ProbeMode uint8

// The modes, as the table numbers them.
const (
	NeverProbe ProbeMode = iota
	ProbeDisabled
	ProbeAlways
)

// Destination is one that calls may be sent to.
type Destination struct {
	Address   destination.Address
	Row       Row
	Resources []Resource
	*Living
	uri   []byte // of Address, for messages
	where string // the row in its table
}

// URI gives where calls are sent.
func (d *Destination) URI() string { return d.Address.URI }

// Resource is what a destination has a number of.
type Resource struct {
	Name     string
	Capacity *atomic.Int64 // which lb_resize changes, and FreeSWITCH
	Load     *atomic.Int64
	server   *freeswitch.URL // who tells the capacity; nil: the table has it
}

// Living is what of a destination outlives a reload.
type Living struct {
	Health *destination.Health
	mu     sync.Mutex
	loads  map[string]*atomic.Int64
	told   map[told]*atomic.Int64 // capacities that FreeSWITCH has told
}

// told is a resource whose capacity a server tells.
type told struct {
	resource string
	server   freeswitch.URL
}

// newLiving makes a record for a new destination.
func newLiving(h *destination.Health) *Living {
	return &Living{Health: h, loads: map[string]*atomic.Int64{}, told: map[told]*atomic.Int64{}}
}

// capacity gives what a server has told of a resource, at first what initial is.
func (l *Living) capacity(resource string, server freeswitch.URL, initial int64) *atomic.Int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.told[told{resource, server}]
	if n == nil {
		n = new(atomic.Int64)
		n.Store(initial)
		l.told[told{resource, server}] = n
	}
	return n
}

// load gives the counter of a resource, always the same.
func (l *Living) load(name string) *atomic.Int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.loads[name]
	if n == nil {
		n = new(atomic.Int64)
		l.loads[name] = n
	}
	return n
}

// resource gives one of a destination's resources, nil if it has it not.
func (d *Destination) resource(name string) *Resource {
	for i := range d.Resources {
		if d.Resources[i].Name == name {
			return &d.Resources[i]
		}
	}
	return nil
}

// Table is the destinations, as they were loaded.
type Table struct {
	All    []*Destination // in the order of the table
	groups map[int][]*Destination
	byID   map[int]*Destination
	byAddr map[netip.Addr][]*Destination
	names  map[string]bool // of all resources
	tally  manage.Tally    // of the load
}

// newTable makes a table of destinations whose addresses are known.
func newTable(all []*Destination) *Table {
	t := &Table{All: all, groups: map[int][]*Destination{}, byID: map[int]*Destination{}, byAddr: map[netip.Addr][]*Destination{}, names: map[string]bool{}}
	for _, d := range all {
		t.groups[d.Row.Group] = append(t.groups[d.Row.Group], d)
		t.byID[d.Row.ID] = d
		for _, r := range d.Resources {
			t.names[r.Name] = true
		}
		var last netip.Addr
		for _, a := range d.Address.Addrs {
			if a.Addr() != last {
				last = a.Addr()
				t.byAddr[last] = append(t.byAddr[last], d)
			}
		}
	}
	return t
}

// Destination gives the destination of a row's id, nil if there is none.
func (t *Table) Destination(id int) *Destination { return t.byID[id] }

// anyGroup stands for all groups.
const anyGroup = -1

// At gives a destination at an address, port 0 is any, in a group or in any; nil
// if there is none. Active tells that it must be one that gets calls.
func (t *Table) At(ip netip.Addr, port uint16, group int, active bool) *Destination {
	for _, d := range t.byAddr[ip.Unmap()] {
		if d.Address.Is(ip.Unmap(), port) && (group == anyGroup || d.Row.Group == group) &&
			(!active || d.Health.State() == destination.Active) {
			return d
		}
	}
	return nil
}

// maxResources bounds the resources of a destination, and of a call.
const maxResources = 32

// parseResources reads the column resources. initial is a capacity that FreeSWITCH has not
// told yet; a negative one: it is not asked.
func parseResources(s string, l *Living, initial int64) (list []Resource, err error) {
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, number, ok := strings.Cut(part, "=")
		name, number = strings.TrimSpace(name), strings.TrimSpace(number)
		if slices.ContainsFunc(list, func(r Resource) bool { return r.Name == name }) {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		if strings.HasPrefix(number, "fs://") {
			if initial < 0 {
				return nil, fmt.Errorf(`%s: a capacity from FreeSWITCH needs modparam("load_balancer", "fetch_freeswitch_stats", 1)`, name)
			}
			u, _, bad := freeswitch.ParseURL(number)
			if bad != nil {
				return nil, fmt.Errorf("%s: the URL of FreeSWITCH %w", name, bad)
			}
			list = append(list, Resource{name, l.capacity(name, u, initial), l.load(name), &u})
			continue
		}
		n, bad := strconv.ParseInt(number, 10, 32)
		if !ok || name == "" || bad != nil || n < 0 {
			return nil, fmt.Errorf("%q is not name=capacity, several separated by semicolons", part)
		}
		capacity := new(atomic.Int64)
		capacity.Store(n)
		list = append(list, Resource{name, capacity, l.load(name), nil})
	}
	if len(list) == 0 || len(list) > maxResources {
		return nil, fmt.Errorf("%d resources are not 1 to %d", len(list), maxResources)
	}
	return list, nil
}
