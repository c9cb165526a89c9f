// Package logtest has a log that a test reads while others write to it.
package logtest

import (
	"slices"
	"strings"
	"sync"
)

// Log is a log's text. The zero value is empty; any goroutine may call its methods.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends to it.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Has reports whether a text was written.
func (l *Log) Has(text string) bool { return strings.Contains(l.String(), text) }

// Count returns how many lines have all of some texts.
func (l *Log) Count(texts ...string) (n int) {
	for line := range strings.Lines(l.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}
