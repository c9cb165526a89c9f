package script

import (
	osexec "os/exec"
	"strings"
	"testing"
	"time"
)

func TestStrftime(t *testing.T) {
	at := time.Date(2027, time.March, 4, 5, 6, 7, 0, time.UTC) // a Thursday
	for format, want := range map[string]string{
		"%Y-%m-%d %H:%M:%S": "2027-03-04 05:06:07", "%F %T %R": "2027-03-04 05:06:07 05:06", "%a %A %b %B %h": "Thu Thursday Mar March Mar",
		"%e|%k|%l|%I|%p": " 4| 5| 5|05|AM", "%j %y %C": "063 27 20", "%u %w": "4 4", "%s": "1804136767", "%z %Z": "+0000 UTC",
		"%n%t%%": "\n\t%", "%D %r": "03/04/27 05:06:07 AM", "%c": "Thu Mar  4 05:06:07 2027", "%x %X": "03/04/27 05:06:07",
		"%U %W %V %G %g": "09 09 09 2027 27", "plain": "plain", "%": "%", "%Q": "%Q",
	} {
		if got := string(appendTime(nil, at, []byte(format))); got != want {
			t.Errorf("%s: got %q, want %q", format, got, want)
		}
	}
}

// TestStrftimeIsDates compares with date(1), where there is one that can.
func TestStrftimeIsDates(t *testing.T) {
	const format = "%a %A %b %B %C %d %D %e %F %g %G %H %I %j %k %l %m %M %p %R %s %S %T %u %U %V %w %W %y %Y %z"
	for _, unix := range []string{"0", "951782400", "1735603199", "1798761600", "2000000000"} {
		cmd := osexec.Command("date", "-u", "-d", "@"+unix, "+"+format)
		cmd.Env = []string{"LC_ALL=C"}
		out, err := cmd.Output()
		if err != nil {
			t.Skip("no date(1) that knows -d:", err)
		}
		n, _ := number64([]byte(unix))
		want := strings.TrimRight(string(out), "\n")
		if got := string(appendTime(nil, time.Unix(n, 0).UTC(), []byte(format))); got != want {
			t.Errorf("@%s\n got %s\nwant %s", unix, got, want)
		}
	}
}

func TestTimeVariables(t *testing.T) {
	before := time.Now().Unix()
	got := strings.Fields(logged(t, `$var(f) = "%Y"; xlog("$Ts $time(%s) $time($var(f)) $Tsm $mi");`))
	after := time.Now().Unix()
	n, ok := number64([]byte(got[0]))
	if !ok || n < before || n > after || got[1] != got[0] || len(got[2]) != 4 || len(got) != 5 {
		t.Errorf("%v, between %d and %d", got, before, after)
	}
	if s := logged(t, `xlog("$Tf");`); len(s) != len("Mon Jan  2 15:04:05 2006") {
		t.Errorf("$Tf: %q", s)
	}
}
