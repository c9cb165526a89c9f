//go:build race

package script

// raceDetector tells that pools drop what they are given back at random.
const raceDetector = true
