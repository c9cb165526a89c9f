package store

// layouts are the standard tables: "table NAME VERSION", then a line for each
// column, "NAME TYPE [null] [= DEFAULT]", and each index, "index|unique NAME COLUMN...".
const layouts = accountingLayouts + routingLayouts + userLayouts + serviceLayouts

// accountingLayouts are those of the versions of tables, and of acc.
const accountingLayouts = `
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
`
