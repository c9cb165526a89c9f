package main

import (
	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
)

// tap is an observer that is told of the messages that come, too. It must not keep the frame.
type tap interface{ Heard(f *reactor.Frame) }

// tapped is a proxy with a tap in front of it.
type tapped struct {
	*proxy.Proxy
	by tap
}

// Message is reactor.Handler.
func (t tapped) Message(w *reactor.Worker, f *reactor.Frame) {
	t.by.Heard(f)
	t.Proxy.Message(w, f)
}
