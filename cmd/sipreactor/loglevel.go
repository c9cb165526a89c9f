package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"sipreactor/reactor/script"
)

// levels are OpenSIPS' log levels, the most severe first.
var levels = []script.LogLevel{
	script.LevelAlert, script.LevelCrit, script.LevelError, script.LevelWarn,
	script.LevelNotice, script.LevelInfo, script.LevelDebug,
}

// levelName names a level as OpenSIPS does.
func levelName(level slog.Level) string {
	for _, l := range levels {
		if level >= l.Slog() {
			if level > l.Slog() {
				return fmt.Sprintf("%v+%d", l, level-l.Slog())
			}
			return l.String()
		}
	}
	return fmt.Sprintf("%v-%d", script.LevelDebug, slog.LevelDebug-level)
}

// levelFilter is a level below stderror_level_filter, which log_level cannot lift.
type levelFilter struct{ level, filter slog.Leveler }

// Level tells the one that says less.
func (f levelFilter) Level() slog.Level { return max(f.level.Level(), f.filter.Level()) }

// filtered gives a level with stderror_level_filter; 0 is none.
func filtered(level slog.Leveler, filter script.LogLevel) slog.Leveler {
	if filter == 0 {
		return level
	}
	return levelFilter{level, filter.Slog()}
}

// newLogger writes text lines with OpenSIPS' names of levels, up to log_level.
func newLogger(w io.Writer, level script.LogLevel, prefix string) *slog.Logger {
	return newSwitchedLogger(w, level.Slog(), prefix)
}

// newSwitchedLogger is newLogger with a level that may change.
func newSwitchedLogger(w io.Writer, level slog.Leveler, prefix string) *slog.Logger {
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.LevelKey {
				if l, ok := a.Value.Any().(slog.Level); ok {
					a.Value = slog.StringValue(levelName(l))
				}
			}
			return a
		},
	}))
	if prefix != "" {
		log = log.With("prefix", prefix)
	}
	return log
}

// prefixer puts log_prefix, which a reload may change, on each line.
type prefixer struct {
	slog.Handler
	prefix *atomic.Pointer[string]
}

// prefixed gives each line the prefix as it stands, "" none.
func prefixed(log *slog.Logger, prefix *atomic.Pointer[string]) *slog.Logger {
	return slog.New(prefixer{log.Handler(), prefix})
}

// Handle is slog.Handler.
func (p prefixer) Handle(ctx context.Context, r slog.Record) error {
	if text := *p.prefix.Load(); text != "" {
		with := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
		with.AddAttrs(slog.String("prefix", text))
		r.Attrs(func(a slog.Attr) bool {
			with.AddAttrs(a)
			return true
		})
		r = with
	}
	return p.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler.
func (p prefixer) WithAttrs(attrs []slog.Attr) slog.Handler {
	return prefixer{p.Handler.WithAttrs(attrs), p.prefix}
}

// WithGroup is slog.Handler.
func (p prefixer) WithGroup(name string) slog.Handler {
	return prefixer{p.Handler.WithGroup(name), p.prefix}
}

// named gives each line the name that log_name says, "" none.
func named(log *slog.Logger, name string) *slog.Logger {
	if name == "" {
		return log
	}
	return log.With("name", name)
}

// logLevels are what log_level, xlog_level and log_prefix turn.
type logLevels struct {
	log, xlog *script.LevelSwitch
	prefix    *atomic.Pointer[string]
}

// levelsOf are those of a configuration, and of all that are loaded in its place.
func levelsOf(cfg *script.Config) logLevels {
	l := logLevels{cfg.Program.LogLevel(), cfg.Program.XlogLevel(), new(atomic.Pointer[string])}
	l.prefix.Store(&cfg.Log.Prefix)
	return l
}

// logTo makes the program's log and that of the script, which are where the configuration, or the command line, says.
func logTo(out io.Writer, cfg *script.Config, levels logLevels, stderr bool) *slog.Logger {
	log := named(prefixed(newSwitchedLogger(out, filtered(levels.log.Leveler(), cfg.Log.Filter), ""), levels.prefix), cfg.Log.Name)
	cfg.Program.SetLogger(named(newSwitchedLogger(out, filtered(script.LevelDebug.Slog(), cfg.Log.Filter), ""), cfg.Log.Name)) // it sees to xlog_level and the prefix itself
	switch {
	case cfg.Log.Stderr, stderr:
	case cfg.Log.Syslog:
		log.Info("the log goes to standard error: there is no syslog here")
	default:
		log = slog.New(slog.DiscardHandler)
		cfg.Program.SetLogger(log)
	}
	return log
}
