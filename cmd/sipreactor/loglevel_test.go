package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
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

// log_name is on the lines of the program and of the script, at both ends of its life.
func TestLogName(t *testing.T) {
	path := config(t, "log_name=\"edge7\"\nsocket=udp:127.0.0.1:"+freePort(t)+
		"\nloadmodule \"proto_udp.so\"\nstartup_route { xlog(\"L_ERR\", \"hello\"); }\nroute { exit; }\n")
	ctx, cancel := context.WithCancel(t.Context())
	stderr, code := newOutput(), make(chan int, 1)
	go func() { code <- run(ctx, []string{"-f", path}, newOutput(), stderr) }()
	stderr.wait(t, "msg=ready")
	cancel()
	if c := <-code; c != exitOK {
		t.Fatalf("exit code %d: %s", c, stderr)
	}
	for line := range strings.Lines(stderr.String()) {
		if !strings.Contains(line, " name=edge7") {
			t.Errorf("whose line is it? %s", line)
		}
	}
	if !strings.Contains(stderr.String(), "msg=hello name=edge7") {
		t.Errorf("the script's line: %s", stderr)
	}
}

// TestPrefixChanges: log_prefix stands on each line as a reload has set it last, on those of loggers that were made before, too.
func TestPrefixChanges(t *testing.T) {
	var b bytes.Buffer
	prefix := new(atomic.Pointer[string])
	set := func(text string) { prefix.Store(&text) }
	set("")
	log := named(prefixed(newLogger(&b, script.LevelInfo, ""), prefix), "edge").With("a", 1)
	log.Info("first")
	set("new")
	log.Info("second", "b", 2)
	lines := strings.Split(b.String(), "\n")
	if strings.Contains(lines[0], "prefix=") || !strings.Contains(lines[1], "prefix=new") || !strings.Contains(lines[1], "a=1") || !strings.Contains(lines[1], "b=2") {
		t.Error(b.String())
	}
}
