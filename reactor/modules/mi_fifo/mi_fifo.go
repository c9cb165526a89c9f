// Package mi_fifo is OpenSIPS' module mi_fifo: the management interface on a named
// pipe. The program serves it; here is what a configuration says of it.
package mi_fifo

import (
	"sipreactor/reactor/modules/internal/manage"
	"sipreactor/reactor/script"
)

// Config is what a configuration says: the module's Instance. What is not said has
// OpenSIPS' default, but that nobody but the owner may use the pipe.
type Config struct {
	At       script.Pos // where it is said, for errors
	Name     string     // fifo_name, /tmp/opensips_fifo
	Mode     uint32     // fifo_mode: permission bits, 0600
	User     string     // fifo_user, by name or number; "" = ours
	Group    string     // fifo_group, by name or number; "" = ours
	ReplyDir string     // reply_dir, /tmp
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	f := &Config{Name: "/tmp/opensips_fifo", Mode: 0o600, ReplyDir: "/tmp"}
	return &script.Module{
		Name:     "mi_fifo",
		AtStart:  true,
		Instance: f,
		Help:     "Serves the management interface on a named pipe.",
		Parameters: append([]script.Parameter{
			{Name: "fifo_name", Type: script.StringParam, Default: f.Name, Restart: true, Help: "The path of the pipe.", Set: script.NonEmpty(&f.Name)},
			manage.Mode("fifo_mode", "The permissions of the pipe.", &f.Mode),
			{Name: "fifo_user", Type: script.AnyParam, Restart: true, Help: "Who owns the pipe, by name or number.", Set: script.Into(&f.User)},
			{Name: "fifo_group", Type: script.AnyParam, Restart: true, Help: "Whose group the pipe has, by name or number.", Set: script.Into(&f.Group)},
			{Name: "reply_dir", Type: script.StringParam, Default: f.ReplyDir, Restart: true, Help: "The folder where pipes for answers are made.", Set: script.NonEmpty(&f.ReplyDir)},
		}, manage.Parameters()...),
		Check: func(l *script.Loading) { f.At = l.Place("fifo_name") },
	}
}
