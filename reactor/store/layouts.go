package store

// layouts are the standard tables: "table NAME VERSION", then a line for each
// column, "NAME TYPE [null] [= DEFAULT]", and each index, "index|unique NAME COLUMN...".
const layouts = `
table version 1
  table_name     string(32) = ''
  table_version  uint       = 0
  unique t_name_idx table_name

table acc 7
  id           auto
  method       string(16) = ''
  from_tag     string(64) = ''
  to_tag       string(64) = ''
  callid       string(64) = ''
  sip_code     string(3)  = ''
  sip_reason   string(32) = ''
  time         datetime
  duration     uint       = 0
  ms_duration  uint       = 0
  setuptime    uint       = 0
  created      datetime null
  index callid_idx callid

table missed_calls 5
  id          auto
  method      string(16) = ''
  from_tag    string(64) = ''
  to_tag      string(64) = ''
  callid      string(64) = ''
  sip_code    string(3)  = ''
  sip_reason  string(32) = ''
  time        datetime
  setuptime   uint       = 0
  created     datetime null
  index callid_idx callid

table dispatcher 9
  id           auto
  setid        int         = 0
  destination  string(192) = ''
  socket       string(128) null
  state        int         = 0
  probe_mode   uint        = 0
  weight       string(64)  = 1
  priority     int         = 0
  attrs        string(128) null
  description  string(64)  null

table load_balancer 3
  id           auto
  group_id     uint        = 0
  dst_uri      string(128)
  resources    string(255)
  probe_mode   uint        = 0
  attrs        string(255) null
  description  string(128) null
  index dsturi_idx dst_uri

table dr_gateways 6
  id           auto
  gwid         string(64)
  type         uint        = 0
  address      string(128)
  strip        uint        = 0
  pri_prefix   string(16)  null
  attrs        string(255) null
  probe_mode   uint        = 0
  state        uint        = 0
  socket       string(128) null
  description  string(128) null
  unique dr_gw_idx gwid

table dr_rules 4
  ruleid        auto
  groupid       string(255)
  prefix        string(64)
  timerec       string(255) null
  priority      int         = 0
  routeid       string(255) null
  gwlist        string(255) null
  sort_alg      string(1)   = N
  sort_profile  uint        null
  attrs         string(255) null
  description   string(128) null

table dr_carriers 3
  id           auto
  carrierid    string(64)
  gwlist       string(255)
  flags        uint        = 0
  sort_alg     string(1)   = N
  state        uint        = 0
  attrs        string(255) null
  description  string(128) null
  unique dr_carrier_idx carrierid

table dr_groups 2
  id           auto
  username     string(64)
  domain       string(128) null
  groupid      uint        = 0
  description  string(128) null

table dr_partitions 1
  id                auto
  partition_name    string(255)
  db_url            string(255)
  drd_table         string(255) null
  drr_table         string(255) null
  drg_table         string(255) null
  drc_table         string(255) null
  ruri_avp          string(255) null
  gw_id_avp         string(255) null
  gw_priprefix_avp  string(255) null
  gw_sock_avp       string(255) null
  rule_id_avp       string(255) null
  rule_prefix_avp   string(255) null
  carrier_id_avp    string(255) null

table address 5
  id            auto
  grp           uint       = 0
  ip            string(50)
  mask          int        = 32
  port          uint       = 0
  proto         string(4)  = any
  pattern       string(64) null
  context_info  string(32) null

table dialplan 5
  id           auto
  dpid         int         = 0
  pr           int         = 0
  match_op     int         = 0
  match_exp    string(64)
  match_flags  int         = 0
  subst_exp    string(64)  null
  repl_exp     string(64)  null
  timerec      string(255) null
  disabled     int         = 0
  attrs        string(255) null

table domain 4
  id                auto
  domain            string(64)  = ''
  attrs             string(255) null
  accept_subdomain  uint        = 0
  last_modified     datetime    = 1900-01-01 00:00:01
  unique domain_idx domain

table dbaliases 2
  id              auto
  alias_username  string(64) = ''
  alias_domain    string(64) = ''
  username        string(64) = ''
  domain          string(64) = ''
  unique alias_idx alias_username alias_domain
  index target_idx username domain

table grp 3
  id             auto
  username       string(64) = ''
  domain         string(64) = ''
  grp            string(64) = ''
  last_modified  datetime   = 1900-01-01 00:00:01
  unique account_group_idx username domain grp

table re_grp 2
  id        auto
  reg_exp   string(128) = ''
  group_id  int         = 0
  index group_idx group_id

table subscriber 8
  id              auto
  username        string(64) = ''
  domain          string(64) = ''
  password        string(25) = ''
  ha1             string(64) = ''
  ha1_sha256      string(64) = ''
  ha1_sha512t256  string(64) = ''
  rpid            string(64) null
  unique account_idx username domain
  index username_idx username

table uri 2
  id             auto
  username       string(64) = ''
  domain         string(64) = ''
  uri_user       string(64) = ''
  last_modified  datetime   = 1900-01-01 00:00:01
  unique account_idx username domain uri_user

table usr_preferences 3
  id             auto
  uuid           string(64)  = ''
  username       string(128) = 0
  domain         string(64)  = ''
  attribute      string(32)  = ''
  type           int         = 0
  value          string(128) = ''
  last_modified  datetime    = 1900-01-01 00:00:01
  index ua_idx uuid attribute
  index uda_idx username domain attribute
  index value_idx value

table location 1013
  contact_id     bigauto
  username       string(64)  = ''
  domain         string(64)  null
  contact        text
  received       string(255) null
  path           string(255) null
  expires        uint
  q              float       = 1.0
  callid         string(255) = Default-Call-ID
  cseq           int         = 13
  last_modified  datetime    = 1900-01-01 00:00:01
  flags          int         = 0
  cflags         string(255) null
  user_agent     string(255) = ''
  socket         string(64)  null
  methods        int         null
  sip_instance   string(255) null
  kv_store       text        null
  attr           string(255) null

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
