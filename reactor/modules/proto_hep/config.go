package proto_hep

import (
	"sipreactor/reactor/script"
)

// Config is what a configuration says of the collectors: the module's Instance.
type Config struct {
	// Destinations are the collectors, by name (hep_id).
	Destinations []Destination
	// CaptureID is hep_capture_id, 1 unless said otherwise.
	CaptureID uint32
	// Homer5 sends the values alone, joined by Homer5Delim, instead of JSON.
	Homer5      bool
	Homer5Delim string
	// AuthKey is sent with each packet; "" none.
	AuthKey string
	// MaxMessages bounds the queue to a collector.
	MaxMessages int
}

// Destination is hep_id: [name]host[:port][;transport=...][;version=...].
type Destination struct {
	Pos       script.Pos
	Name      string
	Host      string
	Port      uint16
	Transport string // udp, tcp or tls
	Version   int    // 1 to 3
}

// ConnTrace is the tracing of connections of one protocol, as its module says it.
type ConnTrace struct {
	Destination string // name of a Destination, "" none
	On          bool   // the switch at the start
	FilterRoute string // route that is asked, "" none
}

// Of returns what a configuration says; without the module there is no collector.
func Of(cfg *script.Config) *Config {
	if c, ok := cfg.Instance("proto_hep").(*Config); ok {
		return c
	}
	return &Config{}
}

// Check reports a name at a place that is no collector's; what says what named it.
func Check(l *script.Loading, at script.Pos, what, name string) {
	var names []string
	for _, d := range Of(l.Config).Destinations {
		if d.Name == name {
			return
		}
		names = append(names, d.Name)
	}
	l.Errorf(at, "%s %s is no hep_id of proto_hep%s", what, script.Clip(name), script.Choices(name, names))
}
