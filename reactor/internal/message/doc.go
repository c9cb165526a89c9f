// Package message is the words that rooms and those who embed the engine share: where a
// message comes from (Source) and goes to (Target), and what became of it.
package message
