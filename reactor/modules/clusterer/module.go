package clusterer

import (
	"fmt"
	"strings"
	"sync"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

type module struct {
	id      int64
	useDB   bool
	url     database.URL
	table   string
	columns struct{ id, cluster, node, url, state, retries, priority, sip, flags, description string }
	given   []*node // by parameters
	tags    *tags

	env   *script.Env
	db    *store.DB
	nodes *store.Snapshot[[]*node] // nil without a database

	mu       sync.Mutex
	disabled map[int64]bool // clusters in which management has disabled this node
}

// The events. Those of other nodes are never raised on one that is alone.
const (
	eventRequest = "E_CLUSTERER_REQ_RECEIVED"
	eventReply   = "E_CLUSTERER_RPL_RECEIVED"
	eventNode    = "E_CLUSTERER_NODE_STATE_CHANGED"
	eventTag     = "E_CLUSTERER_SHARING_TAG_CHANGED"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{useDB: true, table: "clusterer", tags: &tags{active: map[tag]bool{}}, disabled: map[int64]bool{}}
	message := []string{"cluster_id", "src_id", "msg", "tag"}
	return &script.Module{
		Name: "clusterer", Help: "The clusters that this node belongs to.", Note: "nodes do not speak to each other: this one serves alone, and the others are down for it", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(), Variables: []script.Variable{m.variable()},
		Events: []script.Event{
			{Name: eventRequest, Help: "Another node has sent a message: never, here.", Params: message},
			{Name: eventReply, Help: "Another node has answered: never, here.", Params: message},
			{Name: eventNode, Help: "Another node goes or comes: never, here.", Params: []string{"cluster_id", "node_id", "new_state"}},
			{Name: eventTag, Help: "A sharing tag has changed.", Params: []string{"tag", "cluster_id", "state"}},
		},
		Check: m.check, Start: m.start, Trial: true,
		Stop: func(any) {
			if m.db != nil {
				_ = m.db.Close()
			}
		},
	}
}

func (m *module) parameters() []script.Parameter {
	const alone = "nodes do not speak to each other"
	idle := func(name, help string) script.Parameter {
		return script.Parameter{Name: name, Type: script.AnyParam, Help: help, Note: alone}
	}
	number := func(name string) script.Parameter {
		return script.Parameter{Name: name, Type: script.IntParam, Min: 1, Max: 1<<31 - 1, Help: "This node's number; it must be set.", Set: script.Into(&m.id)}
	}
	info := func(name, help string, own bool) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
			n, err := parseNode(v.Text, own)
			if err != nil {
				return err
			}
			m.given = append(m.given, n)
			return nil
		}}
	}
	const mine, other = `This node in a cluster: "cluster_id=1, url=bin:host:port"; sip_addr and others may follow. May be given several times.`,
		`Another node of a cluster: "cluster_id=1, node_id=2, url=bin:host:port". May be given several times.`
	list := append(m.url.Parameters(),
		number("my_node_id"), number("current_id"),
		script.Parameter{Name: "db_mode", Type: script.IntParam, Max: 1, Default: "1", Help: "Whether the nodes are those of a table (1), or of parameters (0).", Set: func(v script.Literal) error {
			m.useDB = v.Int == 1
			return nil
		}},
		script.Parameter{Name: "db_table", Type: script.StringParam, Default: m.table, Help: "The table.", Set: script.NonEmpty(&m.table)},
		info("my_node_info", mine, true), info("current_info", mine, true), info("neighbor_node_info", other, false), info("neighbor_info", other, false),
		script.Parameter{Name: "sharing_tag", Type: script.StringParam, Help: `A sharing tag and its state at the start: "name/cluster=active" or backup. May be given several times.`, Set: m.tagParameter},
		idle("ping_interval", "How often nodes are pinged."), idle("ping_timeout", "How long an answer may take."), idle("node_timeout", "When a node that is down is pinged again."),
		idle("seed_fallback_interval", "When a seed node takes itself for synchronised."), idle("sync_timeout", "How long a synchronisation may stop."),
		idle("sync_packet_size", "Size of packets."), idle("sync_packet_max_size", "Size of packets."), idle("dispatch_jobs", "Who handles packets."), idle("use_controller", "Whether a controller says what nodes are."),
	)
	c := &m.columns
	for _, col := range []struct {
		name string
		to   *string
	}{{"id", &c.id}, {"cluster_id", &c.cluster}, {"node_id", &c.node}, {"url", &c.url}, {"state", &c.state}, {"no_ping_retries", &c.retries}, {"priority", &c.priority}, {"sip_addr", &c.sip}, {"flags", &c.flags}, {"description", &c.description}} {
		*col.to = col.name
		list = append(list, script.Parameter{Name: col.name + "_col", Type: script.StringParam, Default: col.name, Help: "Column of the table with the " + strings.ReplaceAll(col.name, "_", " ") + ".", Set: script.NonEmpty(col.to)})
	}
	return list
}

func (m *module) tagParameter(v script.Literal) error {
	name, state, ok := strings.Cut(v.Text, "=")
	t, err := parseTag(name)
	state = strings.TrimSpace(state)
	if err != nil || !ok || state != "active" && state != "backup" {
		return fmt.Errorf("is no name/cluster=active or backup: %q", v.Text)
	}
	m.tags.set(t, state == "active")
	return nil
}

func (m *module) check(l *script.Loading) {
	if m.id == 0 {
		l.Errorf(l.Place(""), `clusterer needs its number: modparam("clusterer", "my_node_id", 1)`)
	}
	if m.useDB {
		m.url.Check(l)
		return
	}
	for _, n := range m.given {
		if n.id == 0 {
			n.id = m.id
		}
	}
}

func (m *module) start(e *script.Env) (err error) {
	m.env = e
	if old, ok := e.Previous.(*module); ok {
		m.keep(old)
	}
	if !m.useDB {
		return nil
	}
	if m.db, err = m.url.Open(e); err != nil {
		return err
	}
	if m.nodes, err = database.Keep(e, m.db, "clusterer", m.load); err != nil {
		_ = m.db.Close() // the other error tells more
	}
	return script.ErrorAt(m.url.At(), err)
}

// keep takes over what the operator has said to the configuration before: tags that this one has, too, and where the
// node is disabled.
func (m *module) keep(old *module) {
	old.tags.mu.Lock()
	for t, active := range old.tags.active {
		if _, known := m.tags.get(t); known {
			m.tags.set(t, active)
		}
	}
	old.tags.mu.Unlock()
	old.mu.Lock()
	defer old.mu.Unlock()
	m.disabled = old.disabled
}

// all gives the nodes, this one among them.
func (m *module) all() []*node {
	if m.nodes == nil {
		return m.given
	}
	if list := m.nodes.Get(); list != nil {
		return *list
	}
	return nil
}

// isDisabled reports whether this node takes no part in a cluster. known: it belongs to it.
func (m *module) isDisabled(cluster int64) (disabled, known bool) {
	for _, n := range m.all() {
		if n.cluster == cluster && n.id == m.id {
			disabled, known = n.disabled, true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if said, ok := m.disabled[cluster]; ok {
		disabled = said
	}
	return disabled, known
}
