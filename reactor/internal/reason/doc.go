// Package reason is why a connection ended, why none was let in, why a message was
// refused, and who is to blame for it: fixed sets that logs, statistics, traces and
// whoever sends share. All of it is constant, and an Error does not change once it is
// made: any goroutine may call anything.
package reason
