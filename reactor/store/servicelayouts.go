package store

// serviceLayouts are those of all else: dialogs, certificates, registrations of ours, media, clusters.
const serviceLayouts = `
table dialog 12
  dlg_id            bigkey
  callid            string(255)
  from_uri          string(255)
  from_tag          string(64)
  to_uri            string(255)
  to_tag            string(64)
  mangled_from_uri  string(255) null
  mangled_to_uri    string(255) null
  caller_cseq       string(11)
  callee_cseq       string(11)
  caller_ping_cseq  uint
  callee_ping_cseq  uint
  caller_route_set  text        null
  callee_route_set  text        null
  caller_contact    string(255) null
  callee_contact    string(255) null
  caller_sock       string(64)
  callee_sock       string(64)
  state             uint
  start_time        uint
  timeout           uint
  vars              blob        null
  profiles          text        null
  script_flags      string(255) null
  module_flags      uint        = 0
  flags             uint        = 0
  rt_on_answer      string(64)  null
  rt_on_timeout     string(64)  null
  rt_on_hangup      string(64)  null

table tls_mgm 3
  id                auto
  domain            string(64)
  match_ip_address  string(255) null
  match_sip_domain  string(255) null
  type              int         = 1
  method            string(16)  null = SSLv23
  verify_cert       int         null = 1
  require_cert      int         null = 1
  certificate       blob        null
  private_key       blob        null
  crl_check_all     int         null = 0
  crl_dir           string(255) null
  ca_list           blob        null
  ca_dir            string(255) null
  cipher_list       string(255) null
  dh_params         blob        null
  ec_curve          string(255) null
  unique domain_type_idx domain type

table registrant 3
  id                      auto
  registrar               string(255) = ''
  proxy                   string(255) null
  aor                     string(255) = ''
  third_party_registrant  string(255) null
  username                string(64)  null
  password                string(64)  null
  binding_URI             string(255) = ''
  binding_params          string(64)  null
  expiry                  uint        null
  forced_socket           string(64)  null
  cluster_shtag           string(64)  null
  state                   int         = 0
  unique aor_idx aor

table config 1
  id           auto
  name         string(128)
  value        text        null
  description  text        null
  unique config_name_idx name

table freeswitch 1
  id          auto
  username    string(64)  null
  password    string(64)
  ip          string(20)
  port        int         = 8021
  events_csv  string(255) null

table speed_dial 3
  id           auto
  username     string(64)  = ''
  domain       string(64)  = ''
  sd_username  string(64)  = ''
  sd_domain    string(64)  = ''
  new_uri      string(255) = ''
  fname        string(64)  = ''
  lname        string(64)  = ''
  description  string(64)  = ''
  unique speed_dial_idx username domain sd_domain sd_username

table silo 6
  id        auto
  src_addr  string(255) = ''
  dst_addr  string(255) = ''
  username  string(64)  = ''
  domain    string(64)  = ''
  inc_time  int         = 0
  exp_time  int         = 0
  snd_time  int         = 0
  ctype     string(255) null
  body      blob        null
  index account_idx username domain

table userblacklist 2
  id         auto
  username   string(64) = ''
  domain     string(64) = ''
  prefix     string(64) = ''
  whitelist  int        = 0
  index userblacklist_idx username domain prefix

table globalblacklist 2
  id           auto
  prefix       string(64)  = ''
  whitelist    int         = 0
  description  string(255) = ''
  index globalblacklist_idx prefix

table rtpengine 1
  id      auto
  socket  text
  set_id  uint

table rtpproxy_sockets 0
  id             auto
  rtpproxy_sock  text
  set_id         uint

table clusterer 4
  id               auto
  cluster_id       int
  node_id          int
  url              string(64)
  state            int        = 1
  no_ping_retries  int        = 3
  priority         int        = 50
  sip_addr         string(64) null
  flags            string(64) null
  description      string(64) null
  unique clusterer_idx cluster_id node_id

table cachedb 2
  keyname  key(255)
  value    text
  counter  int  = 0
  expires  uint = 0
`
