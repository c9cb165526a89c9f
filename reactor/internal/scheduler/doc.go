// Package scheduler decides when one event loop serves what was asked of it, defers
// a wake-up, computes, hands off, yields and sleeps. A Scheduler belongs to one loop;
// Post and Raise are for any goroutine, everything else for the loop's.
//
// # Wake-ups
//
// Others ask a loop to serve something by Post or Raise. Whether that takes a wake-up
// depends on where the loop is:
//
//	state     event                                becomes   effect
//	free      Post, Raise                          woken     the loop is woken
//	free      Defer: the callback will look        deferred
//	free      Return                               woken     the loop wakes itself
//	free      Settle                               free
//	deferred  Post, Raise, Defer                   deferred
//	deferred  Settle, nothing was asked            free
//	deferred  Settle, while gathering              woken     the loop wakes itself
//	deferred  Settle                               free      it is served at once
//	woken     Post, Raise, Defer                   woken
//	woken     Settle                               woken
//	woken     the wake-up comes (Woken)            free      all that was asked is served
//
// What is asked while the loop serves at the end of a callback has a wake-up of its
// own, so that a callback ends. transitions_test.go holds the table against the code.
//
//	            Post, Raise
//	      +------------------------> woken <--------+
//	      |        (wakes)             |            | Settle, gathering (wakes itself)
//	    free <-------------------------+            |
//	      |  ^      Woken (serves)                  |
//	Defer |  | Settle (serves)                      |
//	      v  |                                      |
//	    deferred -----------------------------------+
//
// # Computing
//
// A loop computes short jobs itself when it has read all that was there: to hand one
// off and to take it back costs two wake-ups. Every job of a kind that turns out to be
// long is handed off at once (Allowance). At the end of a callback (Soon):
//
//	jobs   the loop                     does
//	none                                nothing
//	some   is woken anyway              nothing: they are computed then
//	some   has something to read        wakes itself, to compute behind that
//	some   has nothing to read          computes a round
//
// A round computes jobs for as long as it has time for (step of Start), keeps as many
// as keptJobs, for which the loop wakes itself, and hands off the rest.
//
// # Sleeping
//
// At the end of a callback a loop with nothing to do sleeps itself (Rest) instead of
// leaving that to its poller, which would wake a second thread for it. Before that it
// yields when its callbacks may have set other goroutines to work, which would have to
// wait for the processor that it takes along, and once in a while in any case: from a
// goroutine that the runtime has not scheduled for 10 ms it takes the processor at
// each system call. The first row that is true:
//
//	the loop                                            does
//	would hold something up (Loop.MaySleep)             nothing
//	is woken, or asked to serve                         nothing
//	has set others to work (Stirred)                    yields to them, sleeps
//	has not yielded for sleepTime                       yields, sleeps
//	else                                                sleeps
//
//	the sleep ends because                              then
//	nothing came                                        it yields and sleeps again, some rounds
//	nothing came in the last round                      the poller yields and sleeps next
//	something came                                      the loop was idle, if it had to wait for that
//	something came for loops that it attends to         it does that, and rests again if that is all
//
// While it sleeps, another loop may be in its place (Enter): it writes what it has for a
// connection of this one's, which costs a system call, instead of waking it, which costs two
// switches of threads more. All that is the loop's alone is the visitor's for that time; the
// loop that wakes meanwhile waits. In its poller's sleep nobody is in its place.
//
// # Attended loops
//
// Several loops with little to do cost more than one: each is woken by itself, reads less at
// a time, and wakes the others for what it has for their connections. So the first loop of a
// Company attends to the others while it has time for that: on its goroutine it does what
// there is to be done for them (Attend), while theirs stand still. A loop is
//
//	state      when                                           becomes
//	here       it would sleep                                 away, in its wake-up
//	away       there is something for its own goroutine:      here
//	           a connection to accept, a task of gnet's
//	away       the first loop is busy, processors are idle    alone
//	alone      it and the first loop have little to do        here
//	any        the engine ends                                alone, for good
//
// The first loop is busy when it was awake for busyWindow of busyWindows windows in a row.
// Then as many are alone as processors had nothing to do meanwhile, and one at least, if one
// had nothing to do for idleEnough of the time: where other programs have the processors,
// more loops get nothing more done. Little to do is together, in all, of a window.
//
// company_test.go holds this against the code, rest_test.go the tables before.
package scheduler
