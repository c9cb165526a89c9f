package script

import (
	"log/slog"
	"sync/atomic"
)

// LevelSwitch is a log level that can be changed while the program runs, as OpenSIPS
// numbers levels. Any goroutine may call its methods.
type LevelSwitch struct {
	number atomic.Int32
	slog   slog.LevelVar
}

func newLevelSwitch(l LogLevel) *LevelSwitch {
	s := &LevelSwitch{}
	s.SetLevel(int(l))
	return s
}

// Level tells the level, -3 (alert) to 4 (debug).
func (s *LevelSwitch) Level() int { return int(s.number.Load()) }

// SetLevel changes it.
func (s *LevelSwitch) SetLevel(level int) {
	s.number.Store(int32(level))
	s.slog.Set(LogLevel(level).Slog())
}

// Leveler gives the level to a handler of slog, which follows it.
func (s *LevelSwitch) Leveler() slog.Leveler { return &s.slog }

// shows tells whether lines of a level are written.
func (s *LevelSwitch) shows(l LogLevel) bool { return int(l) <= s.Level() }

// LogLevel is the switch that log_level has set: that of the program's own lines, which
// $log_level tells. A program that takes over goes on with the old one's.
func (p *Program) LogLevel() *LevelSwitch { return p.logLevel }

// XlogLevel is the switch that xlog_level has set: up to where the script's lines are
// written. It is in force from the next message on; $xlog_level may change it for one.
func (p *Program) XlogLevel() *LevelSwitch { return p.xlogLevel }
