package nathelper

import "sipreactor/reactor/script"

// BehindNAT reports whether one of the tests says that the sender of the message is behind NAT. They are those of
// nat_uac_test(), by their numbers: for another module.
func BehindNAT(x *script.Machine, tests uint8) bool { return test(tests).passes(x) }

// FixContacts is fix_nated_contact() without arguments.
func FixContacts(x *script.Machine, at *script.Site) int { return rewriteContacts(x, at, nil, false) }

// SourceURI returns a URI of where the message came from. It is valid as long as the message.
func SourceURI(x *script.Machine) []byte { return sourceURI(x) }
