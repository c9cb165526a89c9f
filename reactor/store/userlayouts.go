package store

// userLayouts are those of users and where they are: aliases to location.
const userLayouts = `
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
`
