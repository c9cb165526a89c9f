// Package cookie asks media relays by datagrams: a request has a cookie and a blank in front, and its answer the same
// cookie. A request is sent again with its cookie until there is an answer; a relay answers a cookie that it knows as it
// did before. So speak rtpengine (ng) and rtpproxy.
//
// A Client belongs to any number of goroutines. It has a socket for each event loop that asks, which that loop reads, and
// one for all others, from the first request by it to its Close. Nobody has to wait with a goroutine for an answer.
package cookie
