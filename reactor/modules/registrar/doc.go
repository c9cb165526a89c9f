// Package registrar is the module registrar: save() keeps what a REGISTER says (RFC 3261 10.3, Path of RFC 3327, flows of
// RFC 5626), lookup() finds whom a request is for.
//
// The contacts are module usrloc's. A contact that registered over a connection is reached by that connection: by nothing
// else if it said ob or reg-id, is behind NAT (received_avp is set, or nat_bflag), has tcp_no_new_conn_bflag set, or came
// over a WebSocket; otherwise a new connection may be opened to it when that one is gone.
//
// With disable_gruu 0, a phone that supports them gets a public and a temporary GRUU (RFC 5627), which lookup() finds its
// contact by. The temporary one is sealed: it tells nothing of the user, and nobody else makes one.
//
// With pn_enable, a phone with push parameters (RFC 8599) that a request is for is woken by usrloc's E_UL_CONTACT_REFRESH,
// and gets the request as soon as it has registered again, as a branch of the transaction that lookup() has begun; behind
// pn_refresh_timeout the caller is answered.
//
// # Not as in OpenSIPS
//
//   - Refused is refused whole: a REGISTER that is answered 400, 420 or 503 has changed nothing.
//   - A Contact that cannot be read is answered 400; there it is 500.
//   - max_contacts and force-registration remove contacts first whose connection has ended, and that nothing else reaches;
//     then force-registration removes the oldest.
//   - "*" follows RFC 3261 10.3: a lower CSeq of the same Call-ID is refused.
//   - path-off stores no Path.
//   - With refuse_short_expires (ours) an expiry below min_expires is answered 423.
//   - save() in an onreply_route keeps the Contacts that the phone has sent, not those that the script has written over them.
package registrar
