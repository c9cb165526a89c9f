package dispatcher

import (
	"errors"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
)

// parameters declares the module's parameters.
func (m *module) parameters() []script.Parameter {
	text, number, on := script.StringParam, script.IntParam, script.BoolParam
	// own is a parameter of the default partition.
	own := func(name, key, otherwise, help string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Default: otherwise, Help: help, Set: func(v script.Literal) error {
			m.settingsOf(defaultPartition)[key] = v
			return nil
		}}
	}
	keep := func(to *script.Literal) func(script.Literal) error {
		return func(v script.Literal) error { *to = v; return nil }
	}
	column := func(name, otherwise, of string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Default: otherwise, Help: "Column of the table with " + of + ".", Set: script.Into(to)}
	}
	const cluster = "is not supported: there is no cluster"
	persistent := own("persistent_state", "persistent_state", "1", "Reads states from the table and writes them there.")
	persistent.Type = on
	list := []script.Parameter{
		own("db_url", "db_url", "", "Database with the destinations."),
		own("dispatcher_file", "file", "", "File with the destinations in the place of a database: CSV with the columns' names in its first line, or db_text's form. Not in OpenSIPS."),
		own("table_name", "table_name", "dispatcher", "Table with the destinations."),
		{Name: "partition", Type: text, Help: `Another table of sets: "name: key = value; ...", or a name for one: "name: other".`, Set: m.setPartition},
		own("dst_avp", "dst_avp", "$avp(ds_dst_failover)", "AVP with the URIs that a request may go to, the current one first."),
		own("grp_avp", "grp_avp", "$avp(ds_grp_failover)", "AVP with the set of those."),
		own("cnt_avp", "cnt_avp", "$avp(ds_cnt_failover)", "AVP with how many there were."),
		own("sock_avp", "sock_avp", "$avp(ds_sock_failover)", "AVP with their sockets."),
		own("attrs_avp", "attrs_avp", "", "AVP for the attributes of the destination that is chosen."),
		own("script_attrs_avp", "script_attrs_avp", "", "AVP for what ds_push_script_attrs() has given it."),
		{Name: "hash_pvar", Type: text, Help: "Text with variables that algorithm 7 hashes.", Set: keep(&m.hashPvar)},
		{Name: "setid_pvar", Type: text, Help: "Variable for the set that ds_is_in_list() found.", Set: keep(&m.setidPvar)},
		{Name: "pvar_algo_pattern", Type: text, Help: "Variable with the load of a destination for algorithm 9; %u is its URI, %i its set.", Set: keep(&m.pattern)},
		{Name: "algo_route", Type: text, Help: "Route that algorithm 10 asks for the weight of each destination: $param(dst_uri) is its URI, $param(attrs) are its attributes, $param(script_attrs) those of the script, or by their numbers from 1 on. A negative code leaves it out.", Set: keep(&m.algoRoute)},
		persistent,
		own("ds_ping_from", "ping_from", "sip:dispatcher@localhost", "From of pings."),
		own("ds_ping_method", "ping_method", "OPTIONS", "Method of pings."),
		{Name: "ds_ping_interval", Type: number, Max: 86400, Unit: "seconds; 0: never", Default: "0", Help: "How often destinations are pinged.", Set: script.Seconds(&m.probing.interval)},
		{Name: "ds_ping_maxfwd", Type: number, Max: 255, Help: "Max-Forwards of pings.", Set: script.Into(&m.probing.maxForwards)},
		{Name: "ds_probing_sock", Type: text, Socket: true, Help: "Socket that pings leave by.", Set: m.probing.setSocket},
		{Name: "ds_probing_threshold", Type: number, Min: 1, Max: 1 << 16, Default: "3", Help: "How many pings without an answer make an active destination probing.", Set: script.Into(&m.probing.threshold)},
		{Name: "ds_probing_threshhold", Type: number, Min: 1, Max: 1 << 16, Default: "3", Help: "ds_probing_threshold in its old spelling.", Set: script.Into(&m.probing.threshold)}, //nolint:misspell // OpenSIPS' own name
		{Name: "ds_probing_mode", Type: number, Max: 1, Default: "0", Help: "1: all destinations are pinged, 0: those in probing and those whose row has probe_mode 1.", Set: script.Into(&m.probing.mode)},
		{Name: "ds_probing_list", Type: text, Help: "Sets that are pinged; without it all.", Set: m.probing.setList},
		{Name: "options_reply_codes", Type: text, Help: "Codes that answer a ping well, besides 200.", Set: destination.SetCodes(&m.probing.codes)},
		{Name: "ds_define_blacklist", Type: text, Help: `Blacklist of the addresses of sets, for use_blacklist(): "name = 1,2".`, Set: func(v script.Literal) error { return m.defineBlacklist(defaultPartition, v.Text) }},
		column("setid_col", "setid", "the set", &m.columns.set),
		column("destination_col", "destination", "the URI", &m.columns.destination),
		column("state_col", "state", "the state", &m.columns.state),
		column("weight_col", "weight", "the weight", &m.columns.weight),
		column("priority_col", "priority", "the priority", &m.columns.priority),
		column("attrs_col", "attrs", "the attributes", &m.columns.attrs),
		column("socket_col", "socket", "the socket", &m.columns.socket),
		column("probe_mode_col", "probe_mode", "whether it is always pinged", &m.columns.probe),
		{Name: "flags", Type: number, Max: 3, Default: "0", Help: "Of before OpenSIPS 2: 2 keeps the other members for ds_next_dst(), 1 hashes the user alone, as the flags f and u of ds_select_dst() do.", Set: func(v script.Literal) error {
			m.older.failover, m.older.userOnly = v.Int&2 != 0, v.Int&1 != 0
			return nil
		}},
		{Name: "use_default", Type: on, Default: "0", Help: "Of before OpenSIPS 2: the last member is the last resort only, as the flag d of ds_select_dst() has it.", Set: script.Into(&m.older.last)},
		{Name: "force_dst", Type: on, Default: "1", Help: "Of before OpenSIPS 2: whether $du is overwritten.", Note: "ds_select_dst() always sets $du, as of OpenSIPS 2 on"},
		{Name: "flags_col", Type: text, Default: "flags", Help: "Of before OpenSIPS 2: column with the flags.", Note: "state_col has the state of a destination"},
		{Name: "fetch_freeswitch_stats", Type: on, Default: "0", Help: "Has FreeSWITCH servers tell weights: a row's weight may be fs://[user]:password@host[:port].", Set: script.Into(&m.fetching.fetching)},
		{Name: "max_freeswitch_weight", Type: number, Min: 1, Max: maxWeight, Default: "100", Help: "Highest weight in a set that has one from FreeSWITCH, and that of a server which has not told its own yet.", Set: script.Into(&m.maxTold)},
		{Name: "cluster_id", Type: number, Default: "0", Help: "Cluster that shares states; not supported.", Set: func(v script.Literal) error {
			if v.Int != 0 {
				return errors.New(cluster)
			}
			return nil
		}},
		{Name: "cluster_sharing_tag", Type: text, Help: "Tag of who pings in a cluster.", Note: "there is no cluster"},
		{Name: "cluster_probing_mode", Type: text, Help: "Who pings in a cluster.", Note: "there is no cluster"},
	}
	return append(list, destination.PolicyParameters("ds_", &m.policy)...)
}
