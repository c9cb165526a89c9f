package dispatcher

import (
	"fmt"
	"strings"
	"sync"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
	"sipreactor/reactor/statusreport"
	"sipreactor/reactor/store"
)

// defaultPartition is the name of the one that functions mean without a name.
const defaultPartition = "default"

// settings are the parameters that each partition has by itself, by their names.
// What a partition does not say is what the default partition says.
type settings map[string]script.Literal

// partitionKeys are the parameters that are a partition's, in the order of the
// reference.
var partitionKeys = []string{
	"db_url", "file", "table_name", "dst_avp", "grp_avp", "cnt_avp", "sock_avp", "attrs_avp", "script_attrs_avp", "ping_from", "ping_method",
	"persistent_state", "ds_define_blacklist",
}

// keyOf gives the key of a spelling; "" if it is none.
func keyOf(name string) string {
	switch name {
	case "script_attrs":
		return "script_attrs_avp"
	case "ds_ping_from":
		return "ping_from"
	case "ds_ping_method":
		return "ping_method"
	}
	for _, k := range partitionKeys {
		if k == name {
			return k
		}
	}
	return ""
}

// How many reports are kept: of loads, and of changes of state.
const (
	maxReports = 100
	maxEvents  = 200
)

// partition is a table with what goes with it.
type partition struct {
	name   string
	tables destination.Tables
	table  string // its name

	dst, grp, cnt, sock, attrs, scriptAttrs *script.AVP // the last two may be nil
	current                                 *script.AVP // set and URI of who was chosen last, hidden
	pingFrom, pingMethod                    string
	persistent                              bool

	rows   store.Snapshot[Table]
	told   *statusreport.Identifier // of loads
	events *statusreport.Identifier // of changes of state
	source store.Source
	db     *store.DB

	reloading sync.Mutex // one at a time

	mu     sync.Mutex
	living map[key]*Living
	dirty  map[key]destination.State // states that the database has not yet
}

// get gives the table as it stands; nil before the start.
func (p *partition) get() *Table { return p.rows.Get() }

// setPartition takes a parameter partition.
func (m *module) setPartition(v script.Literal) error {
	d, err := destination.ParseDefinition(v.Text)
	if err != nil {
		return err
	}
	if d.Alias != "" {
		m.aliases = append(m.aliases, alias{d.Name, d.Alias, v.At})
		return nil
	}
	s := m.settingsOf(d.Name)
	for _, one := range d.Settings {
		key := keyOf(one.Key)
		if key == "" {
			return fmt.Errorf("has the unknown key %s; there are %s", one.Key, strings.Join(partitionKeys, ", "))
		}
		if key == "ds_define_blacklist" {
			if err := m.defineBlacklist(d.Name, one.Value); err != nil {
				return fmt.Errorf("has a ds_define_blacklist that %w", err)
			}
			continue
		}
		s[key] = script.Literal{At: v.At, Text: one.Value, Quoted: true}
	}
	return nil
}

// alias is a name for another partition.
type alias struct {
	name, of string
	at       script.Pos
}

// settingsOf gives the settings of a partition, which are made if they are not there.
func (m *module) settingsOf(name string) settings {
	s := m.settings[name]
	if s == nil {
		s = settings{}
		m.settings[name] = s
		m.order = append(m.order, name)
	}
	return s
}

// makePartitions makes the partitions of what the parameters say.
func (m *module) makePartitions(l *script.Loading) {
	if len(m.order) == 0 {
		m.settingsOf(defaultPartition)
	}
	for _, name := range m.order {
		m.partitions = append(m.partitions, m.makePartition(l, name))
	}
	for _, p := range m.partitions {
		m.byName[p.name] = p
	}
	for _, a := range m.aliases {
		p := m.byName[a.of]
		if p == nil {
			l.Errorf(a.at, "there is no partition %s", a.of)
			continue
		}
		m.byName[a.name] = p
	}
}

func (m *module) makePartition(l *script.Loading, name string) *partition {
	own, base := m.settings[name], m.settings[defaultPartition]
	get := func(key string) (script.Literal, bool) {
		v, ok := own[key]
		if !ok {
			v, ok = base[key]
		}
		return v, ok
	}
	text := func(key, otherwise string) string {
		if v, ok := get(key); ok {
			return v.Text
		}
		return otherwise
	}
	p := &partition{name: name, living: map[key]*Living{}, dirty: map[key]destination.State{}}
	p.table = text("table_name", "dispatcher")
	if v, ok := get("file"); ok {
		p.tables.SetFile(p.table, v.Text, v.At)
	}
	if v, ok := get("db_url"); ok {
		if err := p.tables.SetURL(v); err != nil {
			l.Errorf(v.At, "the db_url of partition %s %v", name, err)
		}
	}
	p.tables.Check(l, "the destinations of partition "+name)
	suffix := ""
	if name != defaultPartition {
		suffix = "_" + name
	}
	// Lists of calls under way are a partition's own, unless it says otherwise itself.
	list := func(key, otherwise string) *script.AVP {
		v, ok := own[key]
		if !ok {
			v = script.Literal{At: l.Place("partition"), Text: otherwise + suffix}
		}
		return l.AVP(v)
	}
	p.dst, p.grp = list("dst_avp", "ds_dst_failover"), list("grp_avp", "ds_grp_failover")
	p.cnt, p.sock = list("cnt_avp", "ds_cnt_failover"), list("sock_avp", "ds_sock_failover")
	p.current = l.AVP(script.Literal{At: l.Place("partition"), Text: "__ds_current" + suffix})
	if v, ok := get("attrs_avp"); ok {
		p.attrs = l.AVP(v)
	}
	if v, ok := get("script_attrs_avp"); ok {
		p.scriptAttrs = l.AVP(v)
	}
	p.pingFrom, p.pingMethod = text("ping_from", "sip:dispatcher@localhost"), text("ping_method", "OPTIONS")
	for key, check := range map[string]func(string) error{"ping_from": script.CheckURI, "ping_method": script.CheckPing, "table_name": script.CheckColumnName} {
		if v, ok := get(key); ok {
			if err := check(v.Text); err != nil {
				l.Errorf(v.At, "partition %s: %s %v", name, key, err)
			}
		}
	}
	p.persistent = true
	if v, ok := get("persistent_state"); ok {
		switch strings.ToLower(v.Text) {
		case "0", "no", "off", "false":
			p.persistent = false
		}
	}
	return p
}
