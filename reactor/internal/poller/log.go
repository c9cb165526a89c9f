package poller

import (
	"fmt"
	"log/slog"
	"strings"
)

// gnetLog gives gnet's own lines to the logger. What gnet calls an error is mostly
// a peer that went away, which its user tells; its one warning is that a
// connection was closed while the kernel had told of it already.
type gnetLog struct {
	log    *slog.Logger
	accept func(error) // is told what accept(2) has said
}

func (g gnetLog) Debugf(format string, args ...any) { g.detail(format, args) }
func (g gnetLog) Infof(format string, args ...any)  { g.detail(format, args) }
func (g gnetLog) Warnf(format string, args ...any)  { g.detail(format, args) }
func (g gnetLog) Fatalf(format string, args ...any) { g.fault(format, args) }

func (g gnetLog) Errorf(format string, args ...any) {
	if len(args) == 1 && strings.HasPrefix(format, "Accept()") {
		if err, ok := args[0].(error); ok {
			g.accept(err)
			return
		}
	}
	g.fault(format, args)
}

func (g gnetLog) detail(format string, args []any) {
	g.log.Debug("gnet: " + fmt.Sprintf(format, args...))
}
func (g gnetLog) fault(format string, args []any) {
	g.log.Error("gnet: " + fmt.Sprintf(format, args...))
}
