package usrloc

import (
	"time"

	"sipreactor/reactor/location"
	"sipreactor/reactor/script"
)

// mode says what is stored, and when.
type mode uint8

const (
	memoryOnly mode = iota
	writeBack
	writeThrough
	sqlOnly // and the database is asked each time
)

// columns are the names of the columns of a table, in the order of the rows.
type columns struct {
	id, user, domain, contact, received, path, expires, q, callID, cseq, modified, flags, cflags, agent, socket,
	methods, instance, kv, attr string
}

func defaultColumns() columns {
	return columns{
		id: "contact_id", user: "username", domain: "domain", contact: "contact", received: "received", path: "path",
		expires: "expires", q: "q", callID: "callid", cseq: "cseq", modified: "last_modified", flags: "flags",
		cflags: "cflags", agent: "user_agent", socket: "socket", methods: "methods", instance: "sip_instance",
		kv: "kv_store", attr: "attr",
	}
}

func (m *Module) parameters() []script.Parameter {
	text := func(name, help, def string, into *string) script.Parameter {
		return script.Parameter{Name: name, Help: help, Default: def, Type: script.StringParam, Set: script.Into(into)}
	}
	column := func(name string, into *string) script.Parameter {
		return text(name, "Name of the column in the database.", *into, into)
	}
	literal := func(name, help, def string, into *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Help: help, Default: def, Type: script.StringParam,
			Set: func(v script.Literal) error { *into = v; return nil }}
	}
	idle := func(name, help, why string, typ script.ParamType) script.Parameter {
		return script.Parameter{Name: name, Help: help, Type: typ, Note: why}
	}
	const noCluster = "there is no cluster"
	c := &m.columns
	return []script.Parameter{
		literal("nat_bflag", "Branch flag that marks contacts behind NAT.", "", &m.natFlag),
		{Name: "use_domain", Type: script.BoolParam, Default: "0", Set: script.Into(&m.UseDomain),
			Help: "The host is part of an address of record."},
		{Name: "desc_time_order", Type: script.BoolParam, Default: "0", Set: script.Into(&m.newestFirst),
			Help: "Contacts are ordered by their last change, not by q."},
		{Name: "timer_interval", Type: script.IntParam, Min: 1, Max: 86400, Unit: "seconds", Default: "60",
			Set: script.Seconds(&m.interval), Help: "How often changes are written to the database."},
		{Name: "max_contacts_total", Type: script.IntParam, Min: 0, Max: 1 << 31, Unit: "contacts", Default: "0",
			Set: script.Into(&m.maxContacts), Help: "Bound of the contacts of a table (ours); 0 is none."},
		{Name: "remove_on_flow_end", Type: script.BoolParam, Default: "0", Set: script.Into(&m.dropFlows),
			Help: "Contacts go with the connection that they came by (ours)."},
		{Name: "matching_mode", Type: script.IntParam, Min: 0, Max: 1, Default: "0", Set: m.setMatching,
			Help: "Contacts are matched by URI (0), or by URI and Call-ID (1)."},
		m.url.Parameters()[0],
		literal("working_mode_preset", "single-instance-no-db, single-instance-sql-write-through, single-instance-sql-write-back or sql-only.",
			"single-instance-no-db", &m.preset),
		literal("cluster_mode", "none or sql-only.", "none", &m.clusterMode),
		literal("restart_persistency", "none or load-from-sql.", "none", &m.persistency),
		literal("sql_write_mode", "none, write-through or write-back.", "none", &m.writeMode),
		{Name: "db_mode", Type: script.IntParam, Min: 0, Max: 3, Default: "0", Set: m.setDBMode,
			Help: "Old form of working_mode_preset: 0 no database, 1 write-through, 2 write-back, 3 sql-only."},
		column("contact_id_column", &c.id), column("user_column", &c.user), column("domain_column", &c.domain),
		column("contact_column", &c.contact), column("expires_column", &c.expires), column("q_column", &c.q),
		column("callid_column", &c.callID), column("cseq_column", &c.cseq), column("methods_column", &c.methods),
		column("flags_column", &c.flags), column("cflags_column", &c.cflags), column("user_agent_column", &c.agent),
		column("received_column", &c.received), column("socket_column", &c.socket), column("path_column", &c.path),
		column("sip_instance_column", &c.instance), column("kv_store_column", &c.kv), column("attr_column", &c.attr),
		idle("cachedb_url", "NoSQL database.", noCluster, script.StringParam),
		{Name: "cseq_delay", Type: script.IntParam, Min: 0, Max: 86400, Unit: "seconds", Default: "20", Set: script.Into(&m.cseqDelay),
			Help: "How long a REGISTER with the Call-ID and CSeq of the last one is a retransmission; a later one is refused. 0: each is refused."},
		idle("location_cluster", "Cluster of the contacts.", noCluster, script.IntParam),
		idle("ha_cluster", "Cluster of the active node.", noCluster, script.IntParam),
		idle("ha_shtag", "Tag of the active node.", noCluster, script.StringParam),
		idle("skip_replicated_db_ops", "Replicated contacts are not stored.", noCluster, script.BoolParam),
		idle("max_contact_delete", "Rows that are deleted at once.", "rows go in batches with all other changes", script.IntParam),
		idle("hash_size", "Size of the table, as a power of two.", "the table grows as it needs", script.IntParam),
		idle("regen_broken_contactid", "Ids are made anew.", "any id is taken as it is", script.BoolParam),
		{Name: "latency_event_min_us", Type: script.IntParam, Min: 0, Max: 1 << 31, Unit: "microseconds", Default: "0", Set: script.Into(&m.minLatency),
			Help: "Latency from which on E_UL_LATENCY_UPDATE is raised; 0 is any."},
		{Name: "latency_event_min_us_delta", Type: script.IntParam, Min: 0, Max: 1 << 31, Unit: "microseconds", Default: "0", Set: script.Into(&m.minChange),
			Help: "Change of a latency from which on E_UL_LATENCY_UPDATE is raised; 0 is any."},
		idle("pinging_mode", "Who pings contacts.", noCluster, script.StringParam),
		{Name: "mi_dump_kv_store", Type: script.BoolParam, Default: "0", Set: script.Into(&m.showKept), Help: "Management shows what modules keep with contacts."},
		{Name: "contact_refresh_timer", Type: script.BoolParam, Default: "0", Set: script.Into(&m.refreshes),
			Help: "E_UL_CONTACT_REFRESH is raised before a registration with push parameters ends (pn_trigger_interval)."},
	}
}

func (m *Module) setMatching(v script.Literal) error {
	m.Matching = location.ByURI
	if v.Int == 1 {
		m.Matching = location.ByURIAndCallID
	}
	return nil
}

func (m *Module) setDBMode(v script.Literal) error {
	m.preset = v
	m.preset.Text = [...]string{presetNone, presetThrough, presetBack, presetShared}[v.Int]
	return nil
}

const (
	presetNone    = "single-instance-no-db"
	presetThrough = "single-instance-sql-write-through"
	presetBack    = "single-instance-sql-write-back"
	presetShared  = "sql-only"
)

// check reads the parameters together.
func (m *Module) check(l *script.Loading) {
	switch m.preset.Text {
	case presetNone:
	case presetThrough:
		m.mode = writeThrough
	case presetBack:
		m.mode = writeBack
	case presetShared:
		m.mode = sqlOnly
	case "":
		m.checkModes(l)
	default:
		l.Errorf(m.preset.At, "working_mode_preset %q is not supported: it is %q, %q, %q or %q",
			m.preset.Text, presetNone, presetThrough, presetBack, presetShared)
	}
	if m.mode == sqlOnly && m.dropFlows {
		l.Errorf(l.Place("remove_on_flow_end"), "remove_on_flow_end is not for sql-only: the phone may have registered at another server")
	}
	switch {
	case m.mode == memoryOnly:
	case !m.url.Wanted(l):
		l.Errorf(m.preset.At, `contacts that are stored need modparam("usrloc", "db_url", "...") or db_default_url`)
	default:
		m.url.Check(l)
	}
	if m.natFlag.Text != "" {
		m.natBit = int(l.BranchFlag(m.natFlag))
	}
	if m.maxContacts < 0 {
		m.maxContacts = 0
	}
}

func (m *Module) checkModes(l *script.Loading) {
	switch v := m.clusterMode; v.Text {
	case "", "none":
	case presetShared:
		m.mode = sqlOnly
		return
	default:
		l.Errorf(v.At, `cluster_mode %q is not supported: it is "none" or %q`, v.Text, presetShared)
	}
	switch v := m.persistency; v.Text {
	case "", "none":
		return
	case "load-from-sql":
		m.mode = writeBack
	default:
		l.Errorf(v.At, `restart_persistency %q is not supported: it is "none" or "load-from-sql"`, v.Text)
	}
	switch v := m.writeMode; v.Text {
	case "", "write-back":
	case "write-through":
		m.mode = writeThrough
	default:
		l.Errorf(v.At, `sql_write_mode %q is not supported with load-from-sql: it is "write-back" or "write-through"`, v.Text)
	}
}

// every is how long changes wait at most.
func (m *Module) every() time.Duration {
	if m.mode >= writeThrough {
		return 50 * time.Millisecond
	}
	return m.interval
}
