// Package flow is what a loop does with its connections from the moment their TCP is up: it
// shakes hands, reads and frames, seals and writes, holds those that bring too much, looks
// at what is not acknowledged and at deadlines, and closes.
//
// A Flow belongs to one loop, whose goroutine alone calls it; Counters and Seconds are for
// anybody. When it is called (what is read, woken, due) is its loop's matter, and so is what
// becomes of messages: the loop is the Program.
//
//	the loop calls                      and the flow calls
//	Begin, Adopt                        Program.Compute, for steps of handshakes
//	Input: what a read brought          Program.Message, Malformed, then Dispatch
//	Hold, behind a read                 Program.Pause, AnswersWait
//	Flush, Writable, Unblock
//	Handshaken, Signed                  Program.Stirred
//	Overdue, Tick
//	Proceed, Finish, SocketCloses       connection.Conn.CleanUp
package flow
