package script

// TraceConfig is what the modules proto_hep and tracer and the trace parameters
// of the protocols say.
type TraceConfig struct {
	// Destinations are the collectors, by name (hep_id).
	Destinations []TraceDestination
	// CaptureID is hep_capture_id, 1 unless said otherwise.
	CaptureID uint32
	// Homer5 sends the values alone, joined by Homer5Delim, instead of JSON.
	Homer5      bool
	Homer5Delim string
	// AuthKey is sent with each packet; "" none.
	AuthKey string
	// MaxMessages bounds the queue to a collector.
	MaxMessages int
	// MasterKey sends the secrets of connections along; MasterKeyAt is where that
	// was said, zero for the default. MasterKeyInClear says it again for a
	// collector that others on the way can listen to.
	MasterKey        bool
	MasterKeyAt      Pos
	MasterKeyInClear bool
	// TLS and the others say what of the protocols' connections is traced.
	TLS, TCP, WS, WSS ConnTrace
	// SIP says what the tracer module was told.
	SIP SIPTrace
}

// ConnTrace is the tracing of connections of one protocol.
type ConnTrace struct {
	Destination string // name of a TraceDestination, "" none
	On          bool   // the switch at the start
	FilterRoute string // route that is asked, "" none
}

// SIPTrace is what the module tracer says.
type SIPTrace struct {
	On  bool
	IDs []TraceID // in the order of the file
}

// TraceID is trace_id: [name]uri=hep:destination. Several may have one name:
// what is traced by it goes to all of them.
type TraceID struct {
	Pos         Pos
	Name        string
	Destination string // name of a TraceDestination
}

// TraceDestination is hep_id: [name]host[:port][;transport=...][;version=...].
type TraceDestination struct {
	Pos       Pos
	Name      string
	Host      string
	Port      uint16
	Transport string // udp, tcp or tls
	Version   int    // 1 to 3
}
