// Package process runs programs beside a test: ours, built for it, and other people's.
//
//	edge := process.Start(t, "sipreactor", exec.Command(binary, "-f", file))
//	edge.WaitLine(t, "msg=ready")
//
// A program ends with its test, its output is in the log of a test that fails.
package process
