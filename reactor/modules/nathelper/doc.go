// Package nathelper is the module nathelper: tests for NAT, what a message says of its sender is replaced by where it came
// from, and pings that keep bindings of NAT open.
//
// # Not as in OpenSIPS
//
// carrier-grade-nat finds 100.64.0.0/10 (RFC 6598) and 192.0.0.0/29 (RFC 6333). Pings are spread over natping_interval
// instead of being sent in natping_partitions bursts. A contact over a connection is pinged over that connection, and its
// end is noticed without any ping.
package nathelper
