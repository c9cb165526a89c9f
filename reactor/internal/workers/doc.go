// Package workers runs a queue of items in order, on goroutines that may wait.
//
// # Leader and followers
//
// A Shard has one leader, who works the queue off, and followers, who sleep. Before
// the leader waits for something it hands the lead to a follower (HandOver), so that
// a wait costs its own item only; when it comes back it follows. A loop that has
// items itself may borrow the lead while the leader sleeps and nothing waits (Lend):
// so the order stays what it is.
//
//	spawned            lead is free         HandOver
//	------> follows ---------------> leads ----------> waits
//	         ^   | spare, or the end   |  nothing to do   |
//	         |   v                     v                  |
//	         |  gone               sleeps <-> lent        |
//	         +--------------------------------------------+
//
// The loop runs what it has borrowed the lead for by an Inline, which leaves the loop
// with an item that is about to wait; the loop may carry that on when the wait is over.
//
// # Who owns what
//
// The Shard owns what waits. What the leader has taken belongs to whoever leads, on
// its goroutine. Push, Lend, Close and the reports are any goroutine's; Run is that
// of a member; HandOver is the leader's; TakeBack and LetGo are the borrower's. The
// lock is a leaf but for what Config.Eased takes.
package workers
