// Package nat_traversal is OpenSIPS' module nat_traversal: it keeps the way to phones behind NAT open by sending
// them requests, as long as there is a reason to.
//
// nat_keepalive() marks a request of a phone. A 2xx to a REGISTER or a SUBSCRIBE, whoever gives it, keeps its
// address for as long as the 2xx says; an INVITE keeps it as long as its dialog lasts. So does a call to an address
// that is kept for its registration: each that is rung, then the one that answers. An address gets one request in
// keepalive_interval, whatever it is kept for; they are spread over it. Nobody waits for the answer.
//
// # Not as in OpenSIPS
//
// The state file is in state_dir unless its path is absolute. It is written at the end, and once in keepalive_interval for
// one that is killed. Addresses behind connections are not in it, as those end with the program. A phone that takes its
// registration back is kept until that would have expired: another one may have the same address.
package nat_traversal
