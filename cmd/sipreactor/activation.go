package main

import (
	"fmt"
	"os"
	"strings"

	"sipreactor/reactor"
)

// activate gives the sockets that a service manager opened (LISTEN_FDS) to the configured ones that they are. One that
// nobody configured is an error: it would take connections that nobody serves. A configured socket that was not handed over is
// opened as ever.
func activate(files []*os.File, sockets []reactor.SocketConfig) error {
	for _, f := range files {
		in, err := reactor.Inherit(f)
		if err != nil {
			return fmt.Errorf("socket activation: %w", err)
		}
		at := -1
		for i, s := range sockets {
			if s.Inherited == nil && in.Serves(s.Proto, s.Addr) {
				at = i
			}
		}
		if at < 0 {
			kind, have := "udp", []string{}
			if in.Stream {
				kind = "tcp or tls"
			}
			for _, s := range sockets {
				have = append(have, fmt.Sprintf("%v:%v", s.Proto, s.Addr))
			}
			return fmt.Errorf("socket activation: %s is a %s socket at %v, which no socket= is left for; the configuration has %s",
				f.Name(), kind, in.Addr, strings.Join(have, ", "))
		}
		sockets[at].Inherited = in
	}
	return nil
}

// letGo closes descriptors that were handed over.
func letGo(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
