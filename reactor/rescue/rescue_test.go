package rescue

import (
	"log/slog"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	err := Run(logger, "a driver", func() { panic("boom") })
	if err == nil || err.Error() != "a driver panicked: boom" {
		t.Fatalf("the error is %v", err)
	}
	if text := log.String(); !strings.Contains(text, `msg="a driver panicked" panic=boom`) || !strings.Contains(text, "rescue_test.go") {
		t.Fatalf("the log has %q", text)
	}
	if err := Run(logger, "a driver", func() {}); err != nil {
		t.Fatal(err)
	}
}

func TestAgain(t *testing.T) {
	runs := 0
	Again(slog.New(slog.DiscardHandler), "a clock", func() {
		if runs++; runs < 3 {
			panic(runs)
		}
	})
	if runs != 3 {
		t.Fatalf("it ran %d times", runs)
	}
}

func TestGo(t *testing.T) {
	ended := make(chan bool)
	Go(slog.New(slog.DiscardHandler), "a client", func() {
		defer close(ended)
		panic("boom")
	})
	<-ended
}
