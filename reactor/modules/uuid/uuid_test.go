package uuid_test

import (
	"strings"
	"testing"

	google "github.com/google/uuid"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/uuid"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, uuid.New) }

func TestVersions(t *testing.T) {
	seen := map[string]bool{}
	for run, want := range map[string]google.Version{
		`xlog("$uuid");`: 4, `uuid($var(u)); xlog("$var(u)");`: 4, `uuid($avp(u), 0); xlog("$avp(u)");`: 4, `uuid($var(u), 1); xlog("$var(u)");`: 1, `$var(v) = 4; uuid($var(u), $var(v)); xlog("$var(u)");`: 4,
	} {
		log := moduletest.Logs(t, moduletest.Head("uuid"), run, uuid.New)
		id, err := google.Parse(log[0])
		if err != nil || id.Version() != want || seen[log[0]] {
			t.Errorf("%s: %q, want version %d", run, log, want)
		}
		seen[log[0]] = true
	}
	log := moduletest.Logs(t, moduletest.Head("uuid"), `uuid($var(u), 3); xlog("$rc");`, uuid.New)
	if len(log) != 2 || !strings.Contains(log[0], "0, 1 or 4") || log[1] != "-1" {
		t.Errorf("version 3: %q", log)
	}
	if log := moduletest.Logs(t, moduletest.Head("uuid"), `xlog("$uuid $uuid");`, uuid.New); log[0][:36] == log[0][37:] {
		t.Errorf("twice the same: %q", log)
	}
}
