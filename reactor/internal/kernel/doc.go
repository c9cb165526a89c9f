// Package kernel is what the engine asks of Linux about its sockets: addresses,
// options, what TCP has sent and got. It owns nothing: each function is a system
// call or two on a descriptor of the caller's, who sees to it that the descriptor
// is open. Any goroutine; nothing blocks.
package kernel
