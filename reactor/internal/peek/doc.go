// Package peek reads of a message what the engine has to know before, or without, parsing
// it: which kind it is, what it belongs to. What a message does not show that easily is
// told as absent, never as an error: a worker that parses it finds out.
//
// Nothing here keeps anything or allocates, and any goroutine may call it. What is looked
// at is the peer's, and may be anything.
package peek
