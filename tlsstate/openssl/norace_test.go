//go:build openssl && !race

package openssl_test

const raceDetector = false
