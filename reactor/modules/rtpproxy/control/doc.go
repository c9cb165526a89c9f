// Package control speaks rtpproxy's control protocol: a command is a line of words, and so
// is its answer. Over UDP both have a cookie in front; a command is sent again with its
// cookie until there is an answer, and rtpproxy answers a cookie that it knows as it did
// before. Over TCP and UNIX sockets a command has a connection of its own.
//
// A Client belongs to any number of goroutines and keeps nothing open between commands.
package control
