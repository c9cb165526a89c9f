// Package sipframe turns bytes into SIP messages and back: buffers that many
// views share, a framer for streams, an index over one message, a rewriter.
//
// It knows no sockets. Nothing in it copies a message, but for Rewriter.AppendTo,
// which copies it once; nothing allocates in the steady state.
package sipframe
