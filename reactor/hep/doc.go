// Package hep traces to a collector such as Homer, in HEPv3: what happens to
// the engine's connections, and SIP messages.
package hep
