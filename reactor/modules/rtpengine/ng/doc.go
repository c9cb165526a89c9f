// Package ng speaks rtpengine's control protocol: a datagram holds a cookie, a blank and
// a bencoded dictionary, and its answer has the same cookie. A request is sent again with
// its cookie until there is an answer; rtpengine answers a cookie that it knows as it did
// before.
package ng
