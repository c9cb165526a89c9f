package drouting

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/store"
)

// load makes a Table: store.Snapshot's Make. Who monitors us is told how it goes.
func (p *partition) load(ctx context.Context, from store.Source) (t *Table, err error) {
	err = p.told.Load(p.get() != nil || p.m.env.Previous != nil, func() (string, error) {
		l, err := p.read(ctx, from)
		if err != nil {
			return "", err
		}
		t = l.b.table()
		l.tally.Loaded = len(t.Gateways) + len(t.Carriers) + t.Rules() + l.groups
		t.tally = l.tally
		p.fillBlacklists(t)
		p.m.log.Info("drouting: loaded", "partition", p.name, "gateways", len(t.Gateways), "carriers", len(t.Carriers), "rules", t.Rules(), "left_out", l.tally.Out())
		return fmt.Sprintf("%d gateways loaded (%d discarded), %d carriers loaded (%d discarded), %d rules loaded (%d discarded)",
			len(t.Gateways), l.out[0], len(t.Carriers), l.out[1], t.Rules(), l.out[2]), nil
	})
	return t, err
}

// read reads the tables. Rows that are wrong are left out, with a warning.
func (p *partition) read(ctx context.Context, from store.Source) (*loading, error) {
	p.mu.Lock()
	fresh := p.fresh
	p.fresh = false
	p.mu.Unlock()
	b, err := newBuilder(p.m.extraPrefix, time.Now())
	if err != nil {
		return nil, err
	}
	l := &loading{partition: p, b: b, fresh: fresh}
	var wrong []error
	for i, step := range [...]func(context.Context, store.Source) error{l.gatewayRows, l.carrierRows, l.ruleRows, l.groupRows} {
		before := l.tally.Out()
		err := step(ctx, from)
		l.out[i] = l.tally.Out() - before
		if err != nil {
			wrong = append(wrong, fmt.Errorf("partition %s: %w", p.name, err))
			if store.Unreachable(err) {
				break
			}
			from = rowless{from}
		}
	}
	if wrong != nil {
		return nil, errors.Join(wrong...)
	}
	return l, nil
}

// rowless reads tables for their own errors: what rows say of others means nothing when one of the tables is missing.
type rowless struct{ store.Source }

// Load is store.Source.
func (r rowless) Load(ctx context.Context, q store.Select, _ func(*store.Row) error) error {
	return r.Source.Load(ctx, q, func(*store.Row) error { return nil })
}

// fillBlacklists has the partition's blacklists be what was loaded.
func (p *partition) fillBlacklists(t *Table) {
	for _, b := range p.m.blacklists {
		if b.Partition != p.name && (b.Partition != "" || p.m.several) {
			continue
		}
		if err := b.Fill(func(yield func(int, *destination.Address)) {
			for _, g := range t.Gateways {
				yield(g.Row.Type, &g.Address)
			}
		}); err != nil {
			p.m.log.Warn("drouting: a blacklist is not what the table says", "partition", p.name, "why", err)
		}
	}
}

// loading is a load under way.
type loading struct {
	*partition
	b      *builder
	fresh  bool // states are the tables'
	tally  manage.Tally
	out    [4]int // rows that were left out, of each table
	groups int    // rows of callers
}

func (l *loading) leaveOut(err error) {
	if l.tally.LeaveOut(err) {
		l.m.log.Warn("drouting: a row is left out", "partition", l.name, "why", err)
	}
}

func (l *loading) missing(r *store.Row, column int, ids []string) {
	if len(ids) > 0 {
		l.m.log.Warn("drouting: a list names what is not there", "partition", l.name, "why", r.Fault(column, "%s", strings.Join(ids, ", ")))
	}
}

// validID tells whether an id has letters, digits and extra_id_chars only.
func (l *loading) validID(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(l.m.extraID, c) < 0 {
			return false
		}
	}
	return id != ""
}

func optional(r *store.Row, i int) *string {
	if r.IsNull(i) {
		return nil
	}
	s := r.Text(i)
	return &s
}

func (l *loading) gatewayRows(ctx context.Context, from store.Source) error {
	var all []*Gateway
	err := from.Load(ctx, store.Select{
		Table: l.names.gateways, Version: gatewaysVersion, Key: "gwid", Columns: []string{"gwid", "address"},
		Optional: []string{"type", "strip", "pri_prefix", "attrs", "probe_mode", "state", "socket", "description"},
	}, func(r *store.Row) error {
		row := GatewayRow{
			ID: strings.TrimSpace(r.Text(0)), Address: strings.TrimSpace(r.Text(1)), Type: int(r.Int(2)), Strip: int(r.IntIn(3, 0, 64)), Prefix: strings.TrimSpace(r.Text(4)),
			Attrs: optional(r, 5), Probe: ProbeMode(r.IntIn(6, 0, 2)), State: int(r.IntIn(7, 0, 2)), Socket: r.Text(8), Description: r.Text(9),
		}
		err := r.Err()
		switch {
		case err != nil:
		case !l.validID(row.ID):
			err = r.Fault(0, "%q has a character that is no letter, digit or one of extra_id_chars", row.ID)
		case strings.ContainsAny(row.Prefix, "@:;? <>\r\n"):
			err = r.Fault(4, "%q cannot stand before a number", row.Prefix)
		}
		var a destination.Address
		if err == nil {
			if a, err = destination.ParseAddress(row.Address); err != nil {
				err = r.Fault(1, "%v", err)
			}
		}
		if err != nil {
			l.leaveOut(err)
			return nil
		}
		all = append(all, &Gateway{Address: a, Row: row, socket: proxy.NewSocketName(row.Socket), where: r.Where()})
		return nil
	})
	if err != nil {
		return err
	}
	l.addGateways(ctx, all)
	return nil
}

// addGateways resolves gateways, finds what is known of them and takes them.
func (l *loading) addGateways(ctx context.Context, all []*Gateway) {
	list := make([]*destination.Address, len(all))
	for i, g := range all {
		list[i] = &g.Address
	}
	errs := destination.ResolveAll(ctx, l.m.lookup, list)
	before := l.get()
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	known := make(map[string]*destination.Health, len(all))
	for i, g := range all {
		if errs[i] != nil && before != nil {
			if old := before.Gateway(g.Row.ID); old != nil && old.Address.Host == g.Address.Host && len(old.Address.Addrs) > 0 {
				g.Address.Addrs, errs[i] = old.Address.Addrs, nil
			}
		}
		switch {
		case errs[i] != nil && !l.m.unresolved:
			l.leaveOut(fmt.Errorf("%s, column address: %w", g.where, errs[i]))
			continue
		case l.m.filter == "ignore":
			g.socket = proxy.NewSocketName("")
		case l.m.filter == "matched-only" && g.socket.Find(l.m.env.Listeners) == nil:
			continue
		case g.Row.Socket != "" && g.socket.Find(l.m.env.Listeners) == nil:
			l.m.log.Warn("drouting: a gateway's socket is none of ours, calls to it leave by another", "partition", l.name, "why", fmt.Sprintf("%s, column socket: %s", g.where, g.Row.Socket))
		}
		state, why := g.tableState(l.m.volatile)
		g.Health = l.gateways[g.Row.ID]
		if g.Health == nil {
			g.Health = destination.New(state, why, now)
		} else if l.fresh {
			g.Health.Set(state, why, now, &l.m.policy)
		}
		if err := l.b.addGateway(g); err != nil {
			l.leaveOut(fmt.Errorf("%s: %w", g.where, err))
			continue
		}
		known[g.Row.ID] = g.Health
	}
	l.gateways = known
}

func (l *loading) carrierRows(ctx context.Context, from store.Source) error {
	known := map[string]*atomic.Bool{}
	err := from.Load(ctx, store.Select{
		Table: l.names.carriers, Version: carriersVersion, Key: "carrierid", Columns: []string{"carrierid", "gwlist"},
		Optional: []string{"flags", "sort_alg", "state", "attrs", "description"},
	}, func(r *store.Row) error {
		c := &Carrier{Row: CarrierRow{ID: strings.TrimSpace(r.Text(0)), Gateways: r.Text(1), Flags: int(r.Int(2)), State: int(r.IntIn(4, 0, 1)), Attrs: optional(r, 5), Description: r.Text(6)}}
		err := r.Err()
		if err == nil {
			if c.Row.Sort, err = parseSort(r.Text(3)); err != nil {
				err = r.Fault(3, "%v", err)
			}
		}
		if err == nil && !l.validID(c.Row.ID) {
			err = r.Fault(0, "%q has a character that is no letter, digit or one of extra_id_chars", c.Row.ID)
		}
		if err != nil {
			l.leaveOut(err)
			return nil
		}
		on := c.Row.Flags&carrierDisabled == 0 && (c.Row.State == 0 || l.m.volatile)
		l.mu.Lock()
		c.enabled = l.carriers[c.Row.ID]
		l.mu.Unlock()
		if c.enabled == nil {
			c.enabled = new(atomic.Bool)
			c.enabled.Store(on)
		} else if l.fresh {
			c.enabled.Store(on)
		}
		missing, err := l.b.addCarrier(c)
		if err != nil {
			l.leaveOut(r.Fault(1, "%v", err))
			return nil
		}
		l.missing(r, 1, missing)
		known[c.Row.ID] = c.enabled
		return nil
	})
	if err == nil {
		l.mu.Lock()
		l.carriers = known
		l.mu.Unlock()
	}
	return err
}

func (l *loading) ruleRows(ctx context.Context, from store.Source) error {
	return from.Load(ctx, store.Select{
		Table: l.names.rules, Version: rulesVersion, Key: "ruleid", Columns: []string{"groupid", "prefix", "gwlist"},
		Optional: []string{"ruleid", "timerec", "priority", "routeid", "sort_alg", "attrs"},
	}, func(r *store.Row) error {
		row := RuleRow{
			Groups: r.Text(ruleGroups), Prefix: r.Text(rulePrefix), Members: r.Text(ruleMembers), ID: r.Int(ruleID), Times: r.Text(ruleTimes),
			Priority: int(r.Int(rulePriority)), Route: strings.TrimSpace(r.Text(ruleRoute)), Attrs: optional(r, ruleAttrs),
		}
		err := r.Err()
		if err == nil {
			if row.Sort, err = parseSort(r.Text(ruleSort)); err != nil {
				err = r.Fault(ruleSort, "%v", err)
			}
		}
		if err == nil && row.Route == "0" { // as older tables have it
			row.Route = ""
		}
		if err == nil && row.Route != "" && !l.m.hasRoute(row.Route) {
			err = r.Fault(ruleRoute, "the script has no route[%s]", row.Route)
		}
		var missing []string
		if err == nil {
			if missing, err = l.b.addRule(&row); err != nil {
				column := -1
				if f, ok := errors.AsType[*ruleFault](err); ok {
					column = f.column
				}
				err = r.Fault(column, "%v", err)
			}
		}
		if err != nil {
			l.leaveOut(err)
			return nil
		}
		l.missing(r, ruleMembers, missing)
		return nil
	})
}

func (l *loading) groupRows(ctx context.Context, from store.Source) error {
	if _, named := l.tables.Files[l.names.groups]; l.db == nil && !named {
		return nil
	}
	m := l.m
	return from.Load(ctx, store.Select{
		Table: l.names.groups, Version: groupsVersion, Columns: []string{m.userCol, m.groupCol}, Optional: []string{m.domainCol, "id"},
	}, func(r *store.Row) error {
		group := int(r.IntIn(1, 0, 1<<31-1))
		if err := r.Err(); err != nil {
			l.leaveOut(err)
			return nil
		}
		domain := r.Text(2)
		if m.noDomain {
			domain = ""
		}
		l.groups++
		l.b.addGroup(r.Text(0), domain, group)
		return nil
	})
}
