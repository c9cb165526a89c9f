package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"sipreactor/reactor/script"
)

func TestLoggerNamesAndFilters(t *testing.T) {
	for _, limit := range levels {
		var b strings.Builder
		log := newLogger(&b, limit, "edge1")
		for _, l := range levels {
			log.Log(context.Background(), l.Slog(), "said")
		}
		shown := 0
		for _, l := range levels {
			got := strings.Contains(b.String(), "level="+l.String()+" ")
			if want := l <= limit; got != want {
				t.Errorf("log_level %d: %v is shown: %v", limit, l, got)
			}
			if got {
				shown++
			}
		}
		if strings.Count(b.String(), "prefix=edge1") != shown {
			t.Errorf("prefix: %s", &b)
		}
	}
}

func TestLevelNameBetween(t *testing.T) {
	for level, want := range map[slog.Level]string{
		slog.LevelError: "ERROR", 9: "ERROR+1", 20: "ALERT+4", 1: "INFO+1", -5: "DBG-1",
		script.LevelNotice.Slog(): "NOTICE",
	} {
		if got := levelName(level); got != want {
			t.Errorf("%d: %s, want %s", level, got, want)
		}
	}
}
