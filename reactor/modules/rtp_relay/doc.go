// Package rtp_relay is the module rtp_relay of OpenSIPS: calls whose media passes rtpengine or rtpproxy from their INVITE
// to their end, without a word of the script about it in later messages.
//
// Which of a party's flags count for an SDP follows from who sends it and who gets it: the sender's flags, peer (of the
// other side), ip, body and disabled; the type of who gets it; and the interfaces of both.
package rtp_relay
