//go:build race

package digest

// raceEnabled: sync.Pool gives away at random then.
const raceEnabled = true
