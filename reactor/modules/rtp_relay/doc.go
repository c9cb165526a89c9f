// Package rtp_relay is the module rtp_relay of OpenSIPS: calls whose media passes rtpengine or rtpproxy from their INVITE
// to their end, without a word of the script about it in later messages.
//
// Which of a party's flags count for an SDP follows from who sends it and who gets it: the sender's flags, peer (of the
// other side), ip, body and disabled; the type of who gets it; and the interfaces of both.
//
// Not here: the engine route, whose routes would have to make the SDP of all who call, and the copies of a call's media. What
// rtpengine_offer() and its like are given in the routes of messages does the first.
package rtp_relay
