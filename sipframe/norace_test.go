//go:build !race

package sipframe

const raceEnabled = false
