package store

// routingLayouts are those of where calls go, and of what they may cost.
const routingLayouts = `
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

table fraud_detection 1
  ruleid                     auto
  profileid                  uint
  prefix                     string(64)
  start_hour                 string(5)
  end_hour                   string(5)
  daysoftheweek              string(64)
  cpm_warning                uint
  cpm_critical               uint
  call_duration_warning      uint
  call_duration_critical     uint
  total_calls_warning        uint
  total_calls_critical       uint
  concurrent_calls_warning   uint
  concurrent_calls_critical  uint
  sequential_calls_warning   uint
  sequential_calls_critical  uint

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
`
