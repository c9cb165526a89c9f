// Package uac_registrant is OpenSIPS' module uac_registrant: this server registers itself at other registrars, such as a
// trunk at its carrier (RFC 3261 10.2).
//
// An account says where, as whom and with which contact; accounts come from the table registrant, from the parameter uac
// (OpenSIPS 1.7) and by management. Each has a registration: a machine without a socket and a clock (machine.go), to which
// times and answers come and which says what is to be sent. A table has them all under one lock, and sends what is due: so
// many a second that neither a start nor a carrier that is back is a burst.
//
// # Where it differs
//
// A REGISTER goes out when it is due and not when its part of a hash table has its turn. A refresh goes out before the
// registration is over, whatever reregister_expiry_percentage says. Without failure_retry_interval, an account whose
// registrar is away tries again with a back-off (RFC 5626 4.5) and not only after the time it would have been registered
// for. A reload leaves alone what has not changed; an account that goes is unregistered.
package uac_registrant
