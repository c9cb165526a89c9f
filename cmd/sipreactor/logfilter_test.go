package main

import (
	"strings"
	"testing"

	"sipreactor/reactor/script"
)

// What stderror_level_filter drops is not written, whatever log_level says then
// and later; what is as severe is.
func TestLevelFilter(t *testing.T) {
	for _, tt := range []struct {
		level, filter, later script.LogLevel
		want                 string
	}{
		{script.LevelDebug, 0, script.LevelDebug, "ERROR WARNING NOTICE INFO DBG"},
		{script.LevelDebug, script.LevelWarn, script.LevelDebug, "ERROR WARNING"},
		{script.LevelError, script.LevelWarn, script.LevelDebug, "ERROR WARNING"},
		{script.LevelDebug, script.LevelWarn, script.LevelError, "ERROR"},
		{script.LevelDebug, script.LevelError, script.LevelInfo, "ERROR"},
	} {
		out := newOutput()
		s := new(script.LevelSwitch)
		s.SetLevel(int(tt.level))
		log := newSwitchedLogger(out, filtered(s.Leveler(), tt.filter), "")
		s.SetLevel(int(tt.later))
		for _, l := range []script.LogLevel{script.LevelError, script.LevelWarn, script.LevelNotice, script.LevelInfo, script.LevelDebug} {
			log.Log(t.Context(), l.Slog(), l.String())
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			_, word, _ := strings.Cut(strings.TrimSpace(line), "msg=")
			got = append(got, word)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("log_level %v, then %v, filter %v: %q, want %q", tt.level, tt.later, tt.filter, got, tt.want)
		}
	}
}
