package script

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// absence is what a configuration wants of a module that is not here.
type absence struct {
	params    int
	functions map[string]bool
	mistyped  bool // it looks like the name of one that is here
}

// absent notes a module that is not here, with an error for the first who asks for
// it: its loadmodule or modparam ("" as what), or a function or variable of it.
func (c *settings) absent(at Pos, name, what string) *absence {
	if a := c.missed[name]; a != nil {
		return a
	}
	a := &absence{functions: make(map[string]bool)}
	if c.missed == nil {
		c.missed = make(map[string]*absence)
	}
	c.missed[name] = a
	subject := "the module " + clip(name) + " is"
	if what != "" {
		subject = what + " is of the module " + name + ", which is"
	}
	if knownModule(name) {
		c.rep.errorf(at, "%s not here", subject)
		return a
	}
	near := hint(name, c.moduleNames())
	a.mistyped = near != "" || strings.Contains(name, "$ENV(")
	c.rep.errorf(at, "unknown module %q%s", clip(name), near)
	return a
}

// knownModule tells whether a module is one of OpenSIPS' that we know of and do not
// have.
func knownModule(name string) bool {
	return foreignFunctions[name] != "" || strings.HasPrefix(name, "db_") || slices.Contains(silentModules, name)
}

// foreignModule gives the module that has a function, "" if none is known.
func foreignModule(function string) string {
	for module, list := range foreignFunctions {
		for name := range strings.FieldsSeq(list) {
			if name == function || strings.HasSuffix(name, "_") && strings.HasPrefix(function, name) {
				return module
			}
		}
	}
	return ""
}

// summary tells what falls with the modules that are not here, "" when all are.
func (c *settings) summary() string {
	var names []string
	params, functions := 0, 0
	for name, a := range c.missed {
		if !a.mistyped {
			names = append(names, name)
			params += a.params
			functions += len(a.functions)
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	text := fmt.Sprintf("needs %s: %s", plural(len(names), "module that is not here", "modules that are not here"), strings.Join(names, ", "))
	var fall []string
	if params > 0 {
		fall = append(fall, plural(params, "parameter", "parameters"))
	}
	if functions > 0 {
		fall = append(fall, plural(functions, "function", "functions"))
	}
	switch {
	case len(fall) == 0:
		return text
	case params+functions == 1:
		return text + "; " + fall[0] + " falls with it"
	default:
		return text + "; " + strings.Join(fall, " and ") + " fall with them"
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// foreignFunctions are functions of OpenSIPS' modules that are not here, so that an
// error can say what a script is missing. A name that ends in _ stands for all that
// begin so.
var foreignFunctions = map[string]string{
	"tm": "t_relay t_reply t_reply_with_body t_newtran t_check_trans t_check_status t_on_failure t_on_branch t_on_reply " +
		"t_local_replied t_was_cancelled t_cancel_branch t_new_request t_add_hdrs t_add_cancel_reason t_replicate t_write_req " +
		"t_write_unix t_flush_flags t_anycast_replicate t_inject_branches t_wait_for_new_branches t_wait_no_more_branches t_reply_by_callid",
	"dialog": "create_dialog match_dialog validate_dialog fix_route_dialog get_dialog_info get_dialog_vals get_dialogs_by_val " +
		"get_dialogs_by_profile load_dialog_ctx unload_dialog_ctx store_dlg_value fetch_dlg_value set_dlg_profile unset_dlg_profile " +
		"is_in_profile get_profile_size set_dlg_flag reset_dlg_flag test_and_set_dlg_flag is_dlg_flag_set set_dlg_sharing_tag " +
		"dlg_send_sequential dlg_inc_cseq dlg_on_ dlg_set_ dlg_bridge",
	"registrar":       "save lookup registered remove ip_registered is_registered is_contact_registered is_ip_registered",
	"mid_registrar":   "mid_registrar_",
	"usrloc":          "ul_ usrloc_",
	"acc":             "do_accounting drop_accounting acc_",
	"auth":            "www_challenge proxy_challenge pv_www_authorize pv_proxy_authorize consume_credentials is_rpid_user_e164 append_rpid_hf",
	"auth_db":         "www_authorize proxy_authorize db_is_to_authorized db_is_from_authorized db_does_uri_exist db_get_auth_id",
	"uac":             "uac_replace_from uac_restore_from uac_replace_to uac_restore_to uac_auth uac_inc_cseq",
	"uac_registrant":  "reg_",
	"options":         "options_reply",
	"path":            "add_path add_path_received",
	"nathelper":       "fix_nated_contact fix_nated_sdp fix_nated_register nat_uac_test add_rcv_param",
	"nat_traversal":   "nat_keepalive client_nat_test fix_contact",
	"rtpproxy":        "rtpproxy_ engage_rtp_proxy",
	"rtpengine":       "rtpengine_",
	"rtp_relay":       "rtp_relay_",
	"mediaproxy":      "engage_media_proxy use_media_proxy end_media_session",
	"dispatcher":      "ds_",
	"load_balancer":   "lb_ load_balance",
	"drouting":        "do_routing route_to_carrier route_to_gw use_next_gw is_from_gw goes_to_gw dr_is_gw dr_match dr_disable",
	"permissions":     "check_address check_source_address get_source_group allow_routing allow_register allow_uri",
	"domain":          "is_from_local is_uri_host_local is_domain_local is_local",
	"alias_db":        "alias_db_lookup alias_db_find",
	"speeddial":       "sd_lookup",
	"group":           "db_is_user_in db_get_user_group aaa_is_user_in get_user_group",
	"ratelimit":       "rl_check rl_dec_count rl_reset_count rl_values",
	"pike":            "pike_check_req",
	"cfgutils":        "rand_set_prob rand_event rand_get_prob sleep usleep abort pkg_status shm_status set_count set_select_weight ts_usec_delta check_time_rec get_static_lock release_static_lock get_dynamic_lock release_dynamic_lock strings_share_lock get_accurate_time shuffle_avps",
	"sqlops":          "sql_query sql_select sql_insert sql_update sql_delete sql_replace sql_avp_ sql_query_one sql_select_one",
	"avpops":          "avp_",
	"cachedb_local":   "cache_remove_chunk",
	"json":            "json_link json_merge",
	"regex":           "pcre_match pcre_match_group",
	"rest_client":     "rest_get rest_put rest_post rest_append_hf rest_init_client_tls",
	"exec":            "exec exec_msg exec_dset exec_avp exec_getenv",
	"topology_hiding": "topology_hiding topology_hiding_match",
	"siprec":          "siprec_",
	"pua":             "pua_",
	"b2b_logic":       "b2b_",
	"sipcapture":      "sip_capture report_capture hep_set hep_get hep_del hep_relay hep_resume_sip",
	"emergency":       "emergency_call",
	"enum":            "enum_query enum_pv_query i_enum_query is_from_user_enum isn_query",
	"fraud_detection": "check_fraud",
	"sst":             "sstCheckMin",
	"mathops":         "math_",
	"diversion":       "add_diversion",
	"identity":        "authservice verifier",
	"stir_shaken":     "stir_shaken_",
	"uuid":            "uuid",
	"ldap":            "ldap_",
	"perl":            "perl_",
	"python":          "python_exec",
	"lua":             "lua_exec lua_meminfo",
	"jabber":          "jab_",
	"imc":             "imc_manager",
	"msilo":           "m_store m_dump",
	"sms":             "sms_send_msg_to_net sms_send_msg",
	"aaa_radius":      "aaa_radius_ radius_",
	"call_control":    "call_control",
	"call_center":     "cc_",
	"carrierroute":    "cr_",
	"closeddial":      "cd_lookup",
	"peering":         "verify_destination verify_source",
	"http2d":          "http2_",
	"janus":           "janus_",
	"launch_darkly":   "ld_feature_",
	"media_exchange":  "media_",
	"msrp_gateway":    "msrp_",
	"compression":     "mc_",
	"benchmark":       "bm_",
}

// silentModules are modules of OpenSIPS' that are not here and have no functions.
var silentModules = []string{
	"b2b_sca", "cachedb_cassandra", "cachedb_couchbase", "cachedb_memcached", "cachedb_mongodb", "cgrates", "event_flatstore",
	"event_kafka", "event_virtual", "event_xmlrpc", "mi_xmlrpc_ng", "msrp_relay",
	"opentelemetry", "presence_callinfo", "presence_dfks", "presence_dialoginfo", "presence_mwi", "presence_xcapdiff",
	"proto_sctp", "proto_smpp", "pua_bla", "pua_dialoginfo", "pua_mi", "pua_usrloc", "pua_xmpp", "qrouting", "rls",
	"snmpstats", "stun", "tcp_mgm", "xmpp",
}
