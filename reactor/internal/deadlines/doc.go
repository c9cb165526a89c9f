// Package deadlines is what a connection waits for, each with the time at which the
// wait is over, and one timer for all of them.
//
// # Who owns what
//
// Deadlines belong to the loop of their connection, and all methods are its. The timer
// goes off on a goroutine of the runtime and calls Owner.TimeIsUp there, which asks the
// loop to look; what is too late, and what becomes of it, is the engine's.
//
// A deadline that is put off, as that of each message is, leaves the timer alone: when
// that goes off too early it is armed anew (Rest). So a message costs no call of the
// runtime's timers.
package deadlines
