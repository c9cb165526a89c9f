// Package ratelimit is OpenSIPS' module ratelimit: pipes that let so many messages
// through in a time.
//
// A pipe belongs to this process; replication by cachedb or cluster is an error at
// load. Pipes are bounded in number; where there is no room for another one, its
// messages pass, and that is counted.
package ratelimit
