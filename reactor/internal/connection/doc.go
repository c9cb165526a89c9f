// Package connection is one connection (Conn), from accept or the first thought of
// connecting to its end, and what all of an engine have in common (Common): their table,
// their index by remote end point, the connect queue, the destinations that are left
// alone, their counters and limits.
//
// # Who owns what
//
// An owner has a connection at a time: the connect queue while its connect is under way,
// then the loop that adopts or accepted it. The owner alone takes it from phase to phase,
// and ends it (CleanUp); what nobody else may touch is Conn.Own. What any goroutine may do with it says so: give it a message (Enqueue),
// have it close (AskClose), describe it (Info), find it (Index). Its lock guards what those
// and its owner share (seen.go), and nobody outside of this package takes it.
//
// What is to be done on the loop is asked for by Owner.Post. What the loop then does is
// package flow's; how one of ours comes to be is package dialing's. Neither is known here.
//
// # Ends
//
// The first reason stays (NoteClose). CleanUp settles all that hangs on a connection whose
// descriptor is closed or never was, once: what was not delivered goes back to the Handler,
// the back-off table and the observer are told, and the table loses it last.
package connection
