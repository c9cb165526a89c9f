// Package proto_hep is OpenSIPS' module proto_hep: the collectors that are traced
// to. The program sends; here is what a configuration says of it.
package proto_hep

import (
	"math"

	"sipreactor/reactor/script"
)

const (
	noneReceived = "no HEP is received"
	neverBlocks  = "sending never blocks; packets wait in a bounded queue"
)

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	t := &Config{CaptureID: 1, MaxMessages: 4096, Homer5Delim: ":"}
	collector := func(v script.Literal) error { return destination(t, v) }
	return &script.Module{
		Name:     "proto_hep",
		AtStart:  true,
		Instance: t,
		Help:     "Knows the collectors that connections and messages are traced to, by HEP 3.",
		Lacks:    []script.Lack{{Kind: script.LacksFunction, Names: "correlate", Why: "the correlation_id of trace() has two calls shown together"}},
		Parameters: script.AtStart([]script.Parameter{
			{Name: "hep_id", Type: script.StringParam, Help: "A collector: [name]host[:port][;transport=udp|tcp|tls][;version=1..3].", Set: collector},
			{Name: "trace_destination", Type: script.StringParam, Help: "An older name of hep_id.", Set: collector},
			{Name: "hep_capture_id", Type: script.IntParam, Max: math.MaxUint32, Default: "1", Help: "Who we are to collectors.", Set: script.Into(&t.CaptureID)},
			{Name: "homer5_on", Type: script.BoolParam, Default: "0", Help: "Sends the values alone, with homer5_delim between them, instead of JSON.", Set: script.Into(&t.Homer5)},
			{Name: "homer5_delim", Type: script.StringParam, Default: t.Homer5Delim, Help: "What stands between values.", Set: script.Into(&t.Homer5Delim)},
			{Name: "hep_auth_key", Type: script.StringParam, Help: "The key that collectors know us by.", Set: script.Into(&t.AuthKey)},
			{Name: "hep_max_msg_queue", Type: script.IntParam, Min: 1, Max: 1 << 20, Unit: "packets", Default: "4096", Help: "How many packets may wait for a collector.", Set: script.Into(&t.MaxMessages)},
			{Name: "hep_port", Type: script.IntParam, Help: "The port where HEP is received.", Note: "no HEP is received; the port of a collector is in its hep_id"},
			{Name: "hep_send_timeout", Type: script.IntParam, Help: "How long sending may block.", Note: neverBlocks},
			{Name: "hep_max_msg_chunks", Type: script.IntParam, Help: "In how many reads a packet may come.", Note: noneReceived},
			{Name: "hep_async", Type: script.BoolParam, Help: "Has packets wait for a connect.", Note: neverBlocks},
			{Name: "hep_async_max_postponed_chunks", Type: script.IntParam, Help: "How many packets may wait for a connect.", Note: neverBlocks},
			{Name: "hep_async_local_connect_timeout", Type: script.IntParam, Help: "How long a connect may block.", Note: neverBlocks},
			{Name: "hep_async_local_write_timeout", Type: script.IntParam, Help: "How long a write may block.", Note: neverBlocks},
			{Name: "hep_retry_cooldown", Type: script.IntParam, Help: "The pause before a lost collector is dialled again.", Note: "a lost collector is dialled again with growing pauses"},
		}),
		Check: func(l *script.Loading) {
			for _, d := range t.Destinations {
				if d.Version < 3 {
					l.Notef(d.Pos, "hep_id %s: version 3 is sent instead of %d; it carries events of connections as well, and who takes HEP takes it", d.Name, d.Version)
				}
			}
		},
	}
}
