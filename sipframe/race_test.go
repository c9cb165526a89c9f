//go:build race

package sipframe

// raceEnabled: sync.Pool drops items at random under the race detector, so
// tests do not count allocations there.
const raceEnabled = true
