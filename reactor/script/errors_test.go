package script

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the messages of testdata/*.txt anew")

// golden runs check over the sections of a file: a line "=== name", input, a line
// "--", and what check gives for it.
func golden(t *testing.T, path string, check func(input string) string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, section := range strings.Split(string(b), "\n=== ") {
		if i == 0 {
			out.WriteString(section + "\n")
			continue
		}
		name, rest, _ := strings.Cut(section, "\n")
		input, want, _ := strings.Cut(rest, "\n--\n")
		got := check(input)
		out.WriteString("=== " + name + "\n" + input + "\n--\n" + got + "\n\n")
		if want = strings.TrimRight(want, "\n"); got != want && !*update {
			t.Errorf("%s: %s\n got %s\nwant %s", path, name, got, want)
		}
	}
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// shortened cuts the lists of what is supported, which grow.
func shortened(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		for _, mark := range []string{"what can be: "} {
			if at := strings.Index(l, mark); at >= 0 {
				lines[i] = l[:at+len(mark)] + "..."
			}
		}
	}
	return strings.Join(lines, "\n")
}

// TestMessages holds the texts and places of errors and notes.
func TestMessages(t *testing.T) {
	golden(t, "testdata/errors.txt", func(input string) string {
		cfg, err := compile("cfg", []byte(input))
		if err != nil {
			return shortened(err.Error())
		}
		lines := []string{"ok"}
		for _, n := range cfg.Notes {
			lines = append(lines, n.String())
		}
		return strings.Join(lines, "\n")
	})
}

func TestErrorsAreErrors(t *testing.T) {
	_, err := compile("cfg", []byte("route { x(); y(); }"))
	var one *Error
	if !errors.As(err, &one) || one.File != "cfg" || one.Line != 1 || one.Col != 1 {
		t.Errorf("first error: %+v of %v", one, err)
	}
	var all Errors
	if !errors.As(err, &all) || len(all) != 3 {
		t.Errorf("all errors: %v", err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, err := compile("cfg", []byte("socket=udp:127.0.0.1\nloadmodule \"proto_udp\"\nroute {"+strings.Repeat(" x();", maxErrors+10)+"}"))
	var all Errors
	if !errors.As(err, &all) || len(all) != maxErrors+1 || all[maxErrors].Msg != "and more errors than can be told" {
		t.Errorf("%d errors: %v", len(all), err)
	}
}

func TestHint(t *testing.T) {
	names := []string{"tcp_workers", "udp_workers", "log_level", "forward"}
	for word, want := range map[string]string{
		"tcp_worker": " (did you mean tcp_workers?)",
		"loglevel":   " (did you mean log_level?)",
		"froward":    " (did you mean forward?)",
		"FORWARD":    " (did you mean forward?)",
		"banana":     "",
		"x":          "",
	} {
		if got := hint(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "abcd", 1}, {"kitten", "sitting", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// A place that fails for one peer all the time is told for another one as well.
func TestPlacesAreToldOfEachPeer(t *testing.T) {
	b := newBench(t, allModules+"route { $var(i) = \"x\"; if ($var(i) > 5) { sl_send_reply(200, \"OK\"); } }\n")
	peer := func(text string) (n int) {
		b.src.Remote = mustAddrPort(text)
		b.receive(invite)
		for _, line := range b.log {
			if strings.Contains(line, "compared with a number") && strings.Contains(line, "peer="+text) {
				n++
			}
		}
		return n
	}
	n := 0
	for range 100 {
		n += peer("10.0.0.1:5060")
	}
	if n == 0 || n > 20 {
		t.Errorf("%d lines of the noisy one", n)
	}
	if n := peer("10.0.0.2:5060"); n != 1 {
		t.Errorf("%d lines of the other", n)
	}
}

// A string without an end is one error, at the string that lacks it; what stands
// before is told, too.
func TestEndlessStrings(t *testing.T) {
	const head = "socket=udp:127.0.0.1:5060\nloadmodule \"proto_udp.so\"\n"
	for name, tt := range map[string]struct{ text, want string }{
		"in a modparam": {head + "loadmodule \"mi_fifo.so\"\nmodparam(\"mi_fifo\", \"fifo_name\", \"/tmp/x)\nmodparam(\"mi_fifo\", \"reply_dir\", \"/tmp\")\nroute { exit; }\n", "x:4:34: the string that begins here has no end"},
		"in a route":    {head + "route {\n\txlog(\"abc);\n\tif (is_method(\"INVITE\")) { exit; }\n\txlog(\"x\");\n}\n", "x:4:7: the string that begins here has no end"},
		"the last one":  {head + "route { xlog(\"abc); }\n", "x:3:14: the string that begins here has no end"},
		"behind others": {head + "nonsense=1\nroute {\n\txlog(\"two\n lines\");\n\txlog(\"abc);\n\txlog(\"$rU\");\n}\n", "x:3:1: unknown parameter nonsense\nx:7:7: the string that begins here has no end"},
	} {
		_, err := compile("x", []byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got\n%v\nwant\n%s", name, err, tt.want)
		}
	}
}

// A file of Kamailio's is told to be one.
func TestKamailio(t *testing.T) {
	const want = "x:1:1: request_route is Kamailio's, whose files are others: here it is route"
	if _, err := compile("x", []byte("request_route {\n\texit;\n}\n")); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestBinaryFiles(t *testing.T) {
	for _, text := range []string{"\x7fELF\x02\x01\x01\x00\x00\"", "socket=udp:127.0.0.1\n\x00\x00route {"} {
		_, err := compile("x", []byte(text))
		var all Errors
		if !errors.As(err, &all) || !strings.Contains(err.Error(), "this is no text") || len(all) != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTraceWithoutDestination(t *testing.T) {
	cfg, err := compile("x", []byte("socket=tcp:127.0.0.1:5060\nloadmodule \"proto_tcp.so\"\nmodparam(\"proto_tcp\", \"trace_on\", 1)\nroute { exit; }\n"))
	if err != nil || len(cfg.Notes) != 1 || cfg.Notes[0].String() != "x:3:35: trace_on does nothing: proto_tcp has no trace_destination" {
		t.Errorf("%v, %v", cfg.Notes, err)
	}
}
