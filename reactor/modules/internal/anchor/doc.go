// Package anchor has the media of calls pass a relay from their INVITE to their end, with nothing for the script to do but
// to ask for it: what rtp_relay and rtpproxy_engage() have in common.
//
// A Session is what is known of a call's media. It belongs to the call's dialog, with whose values it is stored, so a call
// keeps its relay over a restart. A Follower listens to transactions and dialogs: each SDP that passes is an offer or an
// answer (RFC 3264), and is the one or the other by what passed before. The exchanges with the relay happen while the
// message waits, as they do for a script; the end of a call is told behind it, from a bounded queue.
package anchor
