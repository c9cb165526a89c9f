// Package rtpproxy is OpenSIPS' module rtpproxy: it has media pass rtpproxy, which it tells
// of streams by package control. Whoever asks waits in Machine.Await, so no loop and no goroutine does, and
// no longer than rtpproxy_timeout allows for all retries, once for each node that is tried.
//
// Not here: the flags d, t and T and the event E_RTPPROXY_DTMF, rtpproxy_autobridge, a destination of
// rtpproxy_start_recording(), whose commands nobody documents; the address of rtpproxy_engage(), which is known when the INVITE
// is sent, behind it.
//
// Which node a call has is package relay's. Only offers fail over, as no other node knows
// the call.
package rtpproxy
