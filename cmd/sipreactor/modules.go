package main

import (
	"sipreactor/reactor"
	"sipreactor/reactor/modules/acc"
	"sipreactor/reactor/modules/alias_db"
	"sipreactor/reactor/modules/auth"
	"sipreactor/reactor/modules/auth_db"
	"sipreactor/reactor/modules/avpops"
	"sipreactor/reactor/modules/b2b_entities"
	"sipreactor/reactor/modules/b2b_logic"
	"sipreactor/reactor/modules/cachedb_local"
	"sipreactor/reactor/modules/cachedb_redis"
	"sipreactor/reactor/modules/cfgutils"
	"sipreactor/reactor/modules/clusterer"
	"sipreactor/reactor/modules/db_mysql"
	"sipreactor/reactor/modules/db_postgres"
	"sipreactor/reactor/modules/db_sqlite"
	"sipreactor/reactor/modules/db_text"
	"sipreactor/reactor/modules/dialog"
	"sipreactor/reactor/modules/dialplan"
	"sipreactor/reactor/modules/dispatcher"
	"sipreactor/reactor/modules/diversion"
	"sipreactor/reactor/modules/domain"
	"sipreactor/reactor/modules/drouting"
	"sipreactor/reactor/modules/enum"
	"sipreactor/reactor/modules/event_datagram"
	"sipreactor/reactor/modules/event_route"
	"sipreactor/reactor/modules/event_routing"
	"sipreactor/reactor/modules/exec"
	"sipreactor/reactor/modules/gflags"
	"sipreactor/reactor/modules/group"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/json"
	loadbalancer "sipreactor/reactor/modules/load_balancer"
	"sipreactor/reactor/modules/mathops"
	"sipreactor/reactor/modules/maxfwd"
	"sipreactor/reactor/modules/mi_datagram"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_html"
	"sipreactor/reactor/modules/mi_http"
	"sipreactor/reactor/modules/mi_script"
	"sipreactor/reactor/modules/mid_registrar"
	"sipreactor/reactor/modules/msilo"
	"sipreactor/reactor/modules/nathelper"
	optionsreply "sipreactor/reactor/modules/options"
	"sipreactor/reactor/modules/path"
	"sipreactor/reactor/modules/permissions"
	"sipreactor/reactor/modules/pike"
	"sipreactor/reactor/modules/presence"
	"sipreactor/reactor/modules/presence_dialoginfo"
	"sipreactor/reactor/modules/presence_mwi"
	"sipreactor/reactor/modules/presence_xml"
	prom "sipreactor/reactor/modules/prometheus"
	"sipreactor/reactor/modules/proto_bin"
	"sipreactor/reactor/modules/proto_hep"
	"sipreactor/reactor/modules/proto_tcp"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/modules/proto_udp"
	"sipreactor/reactor/modules/proto_ws"
	"sipreactor/reactor/modules/proto_wss"
	"sipreactor/reactor/modules/pua"
	"sipreactor/reactor/modules/pua_dialoginfo"
	"sipreactor/reactor/modules/pua_mi"
	"sipreactor/reactor/modules/pua_usrloc"
	"sipreactor/reactor/modules/ratelimit"
	"sipreactor/reactor/modules/regex"
	"sipreactor/reactor/modules/registrar"
	"sipreactor/reactor/modules/rest_client"
	"sipreactor/reactor/modules/rr"
	"sipreactor/reactor/modules/rtp_relay"
	"sipreactor/reactor/modules/rtpengine"
	"sipreactor/reactor/modules/rtpproxy"
	"sipreactor/reactor/modules/script_helper"
	"sipreactor/reactor/modules/signaling"
	"sipreactor/reactor/modules/sipmsgops"
	"sipreactor/reactor/modules/sl"
	"sipreactor/reactor/modules/speeddial"
	"sipreactor/reactor/modules/sqlops"
	"sipreactor/reactor/modules/statistics"
	"sipreactor/reactor/modules/textops"
	"sipreactor/reactor/modules/tls_mgm"
	"sipreactor/reactor/modules/tls_openssl"
	"sipreactor/reactor/modules/tls_wolfssl"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/modules/topology_hiding"
	"sipreactor/reactor/modules/tracer"
	"sipreactor/reactor/modules/uac"
	"sipreactor/reactor/modules/uac_auth"
	"sipreactor/reactor/modules/uac_redirect"
	"sipreactor/reactor/modules/uac_registrant"
	uris "sipreactor/reactor/modules/uri"
	"sipreactor/reactor/modules/userblacklist"
	"sipreactor/reactor/modules/usrloc"
	"sipreactor/reactor/modules/uuid"
	"sipreactor/reactor/modules/xcap"
	"sipreactor/reactor/modules/xml"
	"sipreactor/reactor/script"
)

// modules are those that a configuration can load.
var modules = []script.Constructor{
	acc.New,
	alias_db.New,
	auth.New,
	auth_db.New,
	avpops.New,
	b2b_entities.New,
	b2b_logic.New,
	cachedb_local.New,
	cachedb_redis.New,
	cfgutils.New,
	clusterer.New,
	db_mysql.New,
	db_postgres.New,
	db_sqlite.New,
	db_text.New,
	diversion.New,
	speeddial.New,
	dialplan.New,
	dialog.New,
	dispatcher.New,
	domain.New,
	drouting.New,
	event_routing.New,
	enum.New,
	exec.New,
	gflags.New,
	group.New,
	httpd.New,
	json.New,
	loadbalancer.New,
	mathops.New,
	maxfwd.New,
	mi_datagram.New,
	mi_fifo.New,
	mi_html.New,
	mi_http.New,
	mi_script.New,
	mid_registrar.New,
	msilo.New,
	nathelper.New,
	optionsreply.New,
	path.New,
	permissions.New,
	pike.New,
	presence.New,
	presence_xml.New,
	presence_dialoginfo.New,
	presence_mwi.New,
	pua.New,
	pua_dialoginfo.New,
	pua_mi.New,
	pua_usrloc.New,
	prom.New,
	proto_bin.New,
	proto_hep.New,
	proto_tcp.New,
	proto_tls.New,
	proto_udp.New,
	proto_ws.New,
	proto_wss.New,
	ratelimit.New,
	regex.New,
	registrar.New,
	rest_client.New,
	rr.New,
	rtp_relay.New,
	rtpengine.New,
	rtpproxy.New,
	script_helper.New,
	signaling.New,
	sipmsgops.New,
	event_datagram.New,
	event_route.New,
	sl.New,
	sqlops.New,
	statistics.New,
	textops.New,
	tls_mgm.New,
	tls_openssl.New,
	tls_wolfssl.New,
	tm.New,
	topology_hiding.New,
	tracer.New,
	uris.New,
	userblacklist.New,
	usrloc.New,
	uuid.New,
	xcap.New,
	xml.New,
	uac.New,
	uac_auth.New,
	uac_redirect.New,
	uac_registrant.New,
}

// loader reads configurations, with more sockets as they stand behind socket=.
func loader(sockets ...string) *script.Loader {
	return &script.Loader{Modules: modules, Sockets: sockets}
}

// modulesOf tells the modules of a node's configuration what happens to connections.
type modulesOf struct{ n *node }

// Observe is reactor.Observer.
func (m modulesOf) Observe(e *reactor.Event) { m.n.cfg.Load().Observe(e) }
