// Package poller runs event loops: it is all that the engine has of gnet, and all
// that works around gnet. Its words are loops that accept by themselves and sleep
// by themselves, sockets that are attached, adopted, paused, detached and closed,
// and wake-ups. What gnet does not tell, package watch does.
//
// # Who owns what
//
// A Poller owns the listeners, the loops and their epoll sets. A Loop owns the
// descriptors of its sockets; the Socket itself is a part of what its Owner is.
// LoopHandler's methods are called on the loop's goroutine, where nothing may
// block; what any goroutine may call says so.
//
// # Where a connection lands
//
// Each loop has a listener of its own at each address, and the kernel chooses one
// by a hash. A loop that has an eighth more connections than another gives what
// it accepts to that one; what is dialled goes to the loop that has the fewest.
//
// # Loops that are attended to
//
// The first loop can do what is to be done for others, as long as it has time: see attend.go.
//
// # Datagrams
//
// The sockets of datagrams are the Poller's, one a loop at each address (listener.Inlets).
// They are read many at a time, and what ICMP says of those that were sent is read from
// their queues of errors. A Line is a socket of datagrams that is connected: gnet reads it
// as it reads a stream, one datagram at a time.
//
// # What gnet does that must be known
//
// Seen in the version that Seen names; facts_test.go has a test for each, by the
// same name, so that a new gnet which does otherwise is told.
//
//	shares        With SO_REUSEPORT each loop opens and accepts from a listener of its
//	              own; else a reactor of gnet's accepts and hands on.
//	texts         A listener is found by the very text it was asked with.
//	boot          OnBoot comes when the first loop's listeners are open and nobody
//	              watches them: another socket may be put behind the number.
//	tick          OnTick is first called when every loop's listeners are watched, on a
//	              goroutine that is no loop's.
//	turns         With round robin n registrations reach n loops.
//	number        Epoll's data is the descriptor's number, so /proc tells which set
//	              watches it. Built with poll_opt it is a pointer: that is an error.
//	read          A loop reads once for an event, at most the buffer's size, into a
//	              buffer that it reads into again: bytes are good in the callback only.
//	level         It is told of what is left again.
//	paused        It is not told of a socket whose interest is taken out of the set,
//	              and does of one whose interest is put back.
//	enroll        It duplicates the descriptor and closes what it was given.
//	unwatched     It reports success even where the loop could not watch the socket.
//	stranger      It enrolls only sockets of the standard library's types, but asks no
//	              more of them than to be readable: an eventfd will do.
//	end           The end of a stream is an io.EOF that read brought; a broken
//	              connection is a bare io.EOF, or what read said.
//	before        OnClose comes before the descriptor closes.
//	accept        A loop ends when an accept's error is ErrAcceptSocket. With a value
//	              there that equals nothing it goes on.
//	line          What accept said is in a log line "Accept() ...".
//	stop          Stop returns at once when its context is over; Rotate returns when all
//	              loops have ended, and every socket was closed with OnClose.
//	once        It is told of a task by an edge: who looks first takes that from it.
//	elsewhere     While a loop is in a callback, another goroutine may close what is
//	              its, one at a time.
//	gosched       A loop that finds nothing to do calls runtime.Gosched before it
//	              sleeps. Nothing tells of that, so the test looks at the source.
package poller

// Seen is the version of gnet that the facts were seen in.
const Seen = "v2.10.0"
