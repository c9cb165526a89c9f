// Package control speaks rtpproxy's control protocol: a command is a line of words, and so
// is its answer. Over UDP both have a cookie in front (package cookie). Over TCP and UNIX sockets a command has a
// connection of its own, and a goroutine while that is open.
//
// A Client belongs to any number of goroutines.
package control
