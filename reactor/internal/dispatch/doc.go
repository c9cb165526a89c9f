// Package dispatch hands what comes to the goroutines that run the Handler: shards by
// Call-ID, each with a leader and followers (package workers), or the loop that has read it
// in place of both.
//
// # Who owns what
//
// A Dispatcher has the shards; any goroutine puts Items into them. A Place is where somebody
// works who runs the Handler: at a shard, on a loop (Inline), or behind a wait. It makes
// way before a wait of any kind, so that a wait costs its own message only:
//
//	on a shard's goroutine   StandAside: a follower leads, and this one waits
//	on a loop                StandAside: a goroutine carries on what is left of the message
//	                         Await: the loop does, when the wait is over
//
// An Inline is its loop's. What it asks of that is Loop.
package dispatch
