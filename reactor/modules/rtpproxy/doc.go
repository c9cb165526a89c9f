// Package rtpproxy is OpenSIPS' module rtpproxy: it has media pass rtpproxy, which it tells
// of streams by package control. Whoever asks waits in Machine.Await, so no loop and no goroutine does, and
// no longer than rtpproxy_timeout allows for all retries, once for each node that is tried.
//
// Which node a call has is package relay's. Only offers fail over, as no other node knows
// the call.
package rtpproxy
