package script

// guards are the functions that ask about source, destination or dialog.
var guards = setOf(
	"is_peer_verified", "is_from_gw", "goes_to_gw", "dr_is_gw",
	"check_address", "check_source_address", "get_source_group", "allow_trusted", "ds_is_in_list", "lb_is_destination", "cluster_check_addr",
	"allow_routing", "allow_uri", "proxy_authorize", "pv_proxy_authorize", "www_authorize", "pv_www_authorize", "stir_shaken_verify",
	"is_registered", "is_contact_registered", "is_ip_registered",
	"validate_dialog", "match_dialog", "topology_hiding_match", "load_dialog_ctx",
)

// domains are the functions that ask whether a destination is ours. One that is not may be
// anywhere: the answer no is as if nobody had asked.
var domains = setOf("is_myself", "is_uri_host_local", "is_domain_local")

// lookups ask where they are asked with one of guardVariables: "... where ip = '$si'".
var lookups = setOf(
	"sql_query", "sql_query_one", "sql_select", "sql_select_one", "avp_db_query", "avp_db_load", "sql_avp_load", "avp_check",
	"cache_fetch", "cache_counter_fetch", "cache_raw_query", "dp_translate", "rest_get", "rest_post", "exec", "pcre_match", "pcre_match_group",
)

// uriFinders find the Request-URI, and what way there, in tables of ours.
var uriFinders = setOf(
	"lookup", "mid_registrar_lookup", "alias_db_lookup", "sd_lookup", "ds_select_domain", "ds_next_domain",
	"do_routing", "route_to_carrier", "route_to_gw", "use_next_gw", "exec_dset", "enum_query", "i_enum_query", "isn_query",
)

// hopFinders find $du in tables of ours.
var hopFinders = setOf("ds_select_dst", "ds_next_dst", "lb_start", "lb_start_or_next", "lb_next")

// guardVariables are those that tell of source or destination.
var guardVariables = setOf(
	"si", "src_ip", "siz", "rd", "ru", "ruri", "duri", "du", "dd", "dsturi",
	"tls_peer_verified", "tls_peer_subject", "tls_peer_subject_cn", "tls_peer_san_uri", "tls_peer_san_hostname",
	"tls_peer_san_ip", "tls_peer_san_email", "tls_peer_issuer_cn", "tls_peer_serial", "socket_in",
)

// dialogVariables have a value where the request belongs to a dialog that is known:
// comparing them with NULL, too, is asking.
var dialogVariables = setOf("DLG_status", "DLG_did", "DLG_dir", "DLG_lifetime")

// claims are what a message says of who it is from and to: nobody has to be there.
var claims = setOf("$fd", "$fu", "$fU", "$td", "$tu", "$tU", "$from.domain", "$from.uri", "$to.domain", "$to.uri")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// call gives what is known when a function's answer is yes, and when no.
func (w *relayWalk) call(x *callExpr, s relayState) (yes, no relayState) {
	name := x.Func
	if now := otherNames[name]; now != "" {
		name = now
	}
	switch {
	case name == "loose_route":
		s.ours, s.safe, s.uri, s.hop, s.route = false, false, false, true, true
	case name == "t_check_trans", // of a transaction that was let through
		name == "is_method" && isRegister(argumentAt(x, 0)): // it reaches a registrar, or nothing
		yes = s
		yes.asked = s.alive
		return yes, s
	case name == "resetdsturi":
		s = s.hopGone()
	case name == "setdsturi":
		s = s.hopSet(w.oursText(argumentAt(x, 0)))
	case name == "sethost", name == "sethostport", name == "seturi":
		s = s.uriSet(w.oursText(argumentAt(x, 0)))
	case name == "revert_uri":
		s = s.uriSet(false)
	case name == "append_branch":
		if argumentAt(x, 0) != nil && !w.oursText(argumentAt(x, 0)) {
			s.ours, s.safe = false, false
		}
	case uriFinders[name], hopFinders[name]:
		yes = s
		yes.ours, yes.uri, yes.hop, yes.route = s.alive, s.uri || uriFinders[name], hopFinders[name], false
		return yes, s
	case domains[name] && !w.claimed(x):
		yes = s
		yes.asked = s.alive
		return yes, s
	case guards[name], lookups[name] && w.askedWith(x):
		s.asked = true
	default:
		w.sent(x, s)
	}
	return s, s
}

// sent notes what leaves by a function.
func (w *relayWalk) sent(x *callExpr, s relayState) {
	switch x.Func {
	case "forward":
		if argumentAt(x, 0) != nil {
			s = s.hopSet(w.oursText(argumentAt(x, 0)))
		}
	case "send", "t_replicate":
		s = s.hopSet(w.oursText(argumentAt(x, 0)))
	case "t_relay": // $du goes before a destination
		if !s.hop && (w.oursPlace(argumentAt(x, 0)) || w.oursPlace(argumentAt(x, 1))) {
			s.ours = true
		}
	case "b2b_client_new":
		s = s.hopSet(w.oursText(argumentAt(x, 1)) || w.oursText(argumentAt(x, 2)))
	case "b2b_init_request":
		if id, ok := argumentAt(x, 0).(*stringExpr); !ok || id.Text != "top hiding" {
			return // to what b2b_client_new() says
		}
	default:
		return
	}
	w.leaves(x.At, x.Func+"()", s)
}

func isRegister(x expression) bool {
	s, ok := x.(*stringExpr)
	return ok && s.Text == "REGISTER"
}

func argumentAt(x *callExpr, n int) expression {
	if n < len(x.Args) {
		return x.Args[n]
	}
	return nil
}

// claimed tells whether a guard is asked about what a message only says.
func (w *relayWalk) claimed(x *callExpr) bool {
	switch a := argumentAt(x, 0).(type) {
	case *stringExpr:
		return claims[a.Text]
	case *varExpr:
		return claims[a.Text]
	default:
		return false
	}
}

// askedWith tells whether a variable of source or destination is in an argument.
func (w *relayWalk) askedWith(x *callExpr) bool {
	for _, a := range x.Args {
		switch a := a.(type) {
		case nil:
		case *stringExpr:
			for name := range variablesIn(a.Text) {
				if guardVariables[name] || w.derived[name] {
					return true
				}
			}
		default:
			if w.tells(a) {
				return true
			}
		}
	}
	return false
}

// compared tells whether a comparison asks.
func (w *relayWalk) compared(x *binaryExpr) bool {
	for _, side := range []expression{x.X, x.Y} {
		if v, ok := side.(*varExpr); ok && dialogVariables[v.Name] {
			return true
		}
	}
	return !isNull(x.X) && !isNull(x.Y) && (w.tells(x.X) || w.tells(x.Y))
}

// tells tells whether an expression has a variable of source or destination.
func (w *relayWalk) tells(x expression) bool {
	switch x := x.(type) {
	case *parenExpr:
		return w.tells(x.X)
	case *unaryExpr:
		return w.tells(x.X)
	case *binaryExpr:
		return w.tells(x.X) || w.tells(x.Y)
	case *wordExpr:
		return x.Text == "myself" || guardVariables[x.Text]
	case *varExpr:
		return guardVariables[x.Name] || w.derived[scriptName(x)]
	default:
		return false
	}
}

func isNull(x expression) bool {
	_, null := x.(*nullExpr)
	return null
}
