package mi

// TraceCollector is what became of the trace packets for one collector.
type TraceCollector struct {
	// Name is the collector's name in the configuration.
	Name string
	// Sent packets are with the system, Dropped ones were lost, for want of room
	// or of a connection. Redials are the attempts to connect after the first.
	Sent, Dropped, Redials uint64
	// Queued packets wait to be sent.
	Queued int
}

// TraceFigures is the Source of the statistics of tracing, of all collectors
// together, in tls:.
func TraceFigures(collectors func() []TraceCollector) Source {
	return func(add func(Value)) {
		var all TraceCollector
		for _, c := range collectors() {
			all.Sent += c.Sent
			all.Dropped += c.Dropped
			all.Redials += c.Redials
			all.Queued += c.Queued
		}
		figures := list{add, "tls"}
		figures.count("tls_trace_sent", all.Sent)
		figures.count("tls_trace_dropped", all.Dropped)
		figures.count("tls_trace_redials", all.Redials)
		figures.gauge("tls_trace_queued", all.Queued)
	}
}
