package prometheus

// Config is what a configuration says: which statistics are given to Prometheus under
// names as OpenSIPS makes them. It does not change once the configuration is read.
type Config struct {
	Root        string // path, without the slash: metrics
	Prefix      string // of each name: opensips
	GroupPrefix string // of the group's name
	Delimiter   string // between the parts of a name: _
	GroupLabel  string // for GroupLabelled: group
	GroupMode   GroupMode
	// Statistics are names, groups (group:), group:name or all.
	Statistics []string
}

// GroupMode says where the group of a statistic stands.
type GroupMode uint8

// The values of group_mode.
const (
	GroupLeftOut GroupMode = iota
	GroupInName
	GroupLabelled
)
