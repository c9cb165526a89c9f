package drouting

import (
	"errors"

	"sipreactor/reactor/modules/internal/destination"
	"sipreactor/reactor/script"
)

// avps are what the script finds of a call's way.
type avps struct {
	names [7]script.Literal
	list  [7]*script.AVP // nil: not wanted
	hops  *script.AVP    // hidden: the ways that are left
	now   *script.AVP    // hidden: the way that was taken last
}

// The AVPs, by their parameters.
const (
	ruriAVP = iota
	gatewayAVP
	prefixAVP
	ruleAVP
	matchAVP
	carrierAVP
	socketAVP
)

var avpNames = [7]string{"ruri_avp", "gw_id_avp", "gw_priprefix_avp", "rule_id_avp", "rule_prefix_avp", "carrier_id_avp", "gw_sock_avp"}

// defaultAVPs are the names of those that are there without a parameter.
var defaultAVPs = [7]string{ruriAVP: "___dr_ruri__", gatewayAVP: "___dr_gw_id__", socketAVP: "___dr_sock__"}

func (a *avps) check(l *script.Loading) {
	for i, v := range a.names {
		if v.Text == "" {
			v = script.Literal{At: l.Place(avpNames[i]), Text: defaultAVPs[i]}
		}
		if v.Text != "" {
			a.list[i] = l.AVP(v)
		}
	}
	at := l.Place("")
	a.hops, a.now = l.AVP(script.Literal{At: at, Text: "__dr_hops"}), l.AVP(script.Literal{At: at, Text: "__dr_now"})
}

// fileParameters name the files of gateways, rules, groups and carriers.
var fileParameters = [4]string{"gateways_file", "rules_file", "groups_file", "carriers_file"}

// parameters declares the module's parameters.
func (m *module) parameters() []script.Parameter {
	text, number, on := script.StringParam, script.IntParam, script.BoolParam
	negated := func(to *bool) func(script.Literal) error {
		return func(v script.Literal) error { *to = v.Int == 0; return nil }
	}
	avp := func(i int, help string) script.Parameter {
		otherwise := ""
		if defaultAVPs[i] != "" {
			otherwise = "$avp(" + defaultAVPs[i] + ")"
		}
		return script.Parameter{Name: avpNames[i], Type: text, Default: otherwise, Help: help, Set: func(v script.Literal) error { m.avps.names[i] = v; return nil }}
	}
	table := func(name, otherwise, of string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Default: otherwise, Help: "Table with the " + of + ".", Set: script.Into(to)}
	}
	file := func(name, of string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Help: "File with the " + of + " in the place of the table: CSV with the columns' names in its first line, or db_text's form. Not in OpenSIPS.", Set: script.Into(to)}
	}
	column := func(name, otherwise, of string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: text, Default: otherwise, Help: "Column of the groups with the " + of + ".", Set: script.Into(to)}
	}
	list := []script.Parameter{
		{Name: "db_url", Type: text, Help: "Database with the tables.", Set: m.tables.SetURL},
		table("drd_table", m.names.gateways, "gateways", &m.names.gateways),
		table("drr_table", m.names.rules, "rules", &m.names.rules),
		table("drg_table", m.names.groups, "groups of callers", &m.names.groups),
		table("drc_table", m.names.carriers, "carriers", &m.names.carriers),
		file(fileParameters[0], "gateways", &m.files[0]), file(fileParameters[1], "rules", &m.files[1]),
		file(fileParameters[2], "groups of callers", &m.files[2]), file(fileParameters[3], "carriers", &m.files[3]),
		avp(ruriAVP, "AVP with the Request-URIs of the ways that are left."),
		avp(gatewayAVP, "AVP with the id of the gateway that is used."),
		avp(prefixAVP, "AVP with the prefix that this gateway puts before numbers."),
		avp(ruleAVP, "AVP with the id of the rule that is used."),
		avp(matchAVP, "AVP with the part of the number that the rule's prefix is."),
		avp(carrierAVP, "AVP with the id of the carrier that is used."),
		avp(socketAVP, "AVP with the sockets of the ways that are left."),
		{Name: "define_blacklist", Type: text, Help: `Blacklist of the addresses of gateways by their types, for use_blacklist(): "name = 1,2", or "partition:name = 1,2".`, Set: func(v script.Literal) error {
			b, err := destination.DefineBlacklist(m.cfg, "drouting", "", v.Text)
			if err == nil {
				m.blacklists = append(m.blacklists, b)
			}
			return err
		}},
		{Name: "default_group", Type: number, Help: "Group of callers that the table of groups does not name.", Set: script.Into(&m.defaultGroup)},
		{Name: "force_dns", Type: on, Default: "1", Help: "Leaves out gateways whose host is not found at the start.", Set: negated(&m.unresolved)},
		{Name: "persistent_state", Type: on, Default: "1", Help: "Reads states from the tables and writes them there.", Set: negated(&m.volatile)},
		{Name: "no_concurrent_reload", Type: on, Default: "0", Help: "Refuses a reload while another one is under way; without it the second waits.", Set: script.Into(&m.exclusive)},
		{Name: "probing_interval", Type: number, Max: 86400, Unit: "seconds; 0: never", Default: "30", Help: "How often gateways are pinged.", Set: script.Seconds(&m.probing.interval)},
		{Name: "probing_method", Type: text, Default: "OPTIONS", Help: "Method of pings.", Set: script.Checked(script.CheckPing, &m.probing.method)},
		{Name: "probing_from", Type: text, Default: "sip:prober@localhost", Help: "From of pings.", Set: script.Checked(script.CheckURI, &m.probing.from)},
		{Name: "probing_reply_codes", Type: text, Help: "Codes that answer a ping well, besides 200.", Set: destination.SetCodes(&m.probing.codes)},
		{Name: "probing_socket", Type: text, Socket: true, Help: "Socket that pings leave by where the gateway has none.", Set: m.probing.setSocket},
		{Name: "gw_socket_filter_mode", Type: text, Default: "all", Help: "Gateways whose socket is not ours: all (they are used from any socket), ignore (no socket is looked at) or matched-only (they are left out).", Set: m.setFilter},
		{Name: "cluster_id", Type: number, Default: "0", Help: "Cluster that shares states; not supported.", Set: func(v script.Literal) error {
			if v.Int != 0 {
				return errors.New("is not supported: there is no cluster")
			}
			return nil
		}},
		{Name: "cluster_sharing_tag", Type: text, Help: "Tag of who pings in a cluster.", Note: "there is no cluster"},
		{Name: "cluster_probing_mode", Type: text, Help: "Who pings in a cluster.", Note: "there is no cluster"},
		{Name: "use_domain", Type: on, Default: "1", Help: "Looks for callers by user and domain, and not by user alone.", Set: negated(&m.noDomain)},
		column("drg_user_col", "username", "user", &m.userCol), column("drg_domain_col", "domain", "domain", &m.domainCol),
		column("drg_grpid_col", "groupid", "group", &m.groupCol),
		{Name: "use_partitions", Type: on, Default: "0", Help: "Has several partitions, which a table names.", Set: script.Into(&m.several)},
		{Name: "db_partitions_url", Type: text, Help: "Database with the table of partitions.", Set: func(v script.Literal) error { m.partsURL = v; return m.partsTables.SetURL(v) }},
		{Name: "db_partitions_table", Type: text, Default: "dr_partitions", Help: "Table of partitions.", Set: script.Into(&m.partsTable)},
		file("partitions_file", "partitions", &m.partsFile),
		{Name: "partition_id_pvar", Type: text, Help: "Variable for the partition that was found for *.", Set: func(v script.Literal) error { m.partition = v; return nil }},
		{Name: "enable_restart_persistency", Type: on, Default: "0", Help: "Keeps what was loaded over a restart.", Note: "what was loaded last is always kept, for when the database is away"},
		{Name: "extra_prefix_chars", Type: text, Help: "Characters that prefixes may have besides digits.", Set: script.Into(&m.extraPrefix)},
		{Name: "extra_id_chars", Type: text, Default: "_-.", Help: "Characters that ids may have besides letters and digits.", Set: script.Into(&m.extraID)},
		{Name: "generate_data_checksum", Type: on, Default: "0", Help: "Makes a checksum of what was loaded.", Note: "no checksum is made"},
	}
	return append(list, destination.PolicyParameters("", &m.policy)...)
}

func (m *module) setFilter(v script.Literal) error {
	switch v.Text {
	case "all", "ignore", "matched-only":
		m.filter = v.Text
		return nil
	default:
		return errors.New("is none of all, ignore and matched-only")
	}
}
