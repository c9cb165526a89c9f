package script

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// noFiles keeps a fuzzer from reading the machine's files.
func noFiles(path string) ([]byte, error) {
	if path == "included.cfg" {
		return []byte("log_level=3\ninclude_file \"included.cfg\"\nroute[inc] { exit; }\n"), nil
	}
	return nil, fs.ErrNotExist
}

func seeds(f *testing.F) {
	for _, path := range []string{"testdata/edge.cfg", "testdata/errors.txt"} {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for i, section := range strings.Split(string(b), "\n=== ") {
			_, section, _ = strings.Cut(section, "\n")
			section, _, _ = strings.Cut(section, "\n--\n")
			if i == 0 {
				section = string(b)
			}
			f.Add(section)
		}
	}
	f.Add("include_file \"included.cfg\"\n$ENV(PATH) $ENV(")
	f.Add("route{$(0($0[$0/)])")
	f.Add("route{$(hdr($var(a)[$var(b)]){re.subst,/a/$(ru{s.len})/g}) = \"$(ru\";}")
}

// FuzzParse: nothing panics, and places of errors and nodes are in the file.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src string) {
		rep := &report{}
		file := parse("fuzz", []byte(src), rep, noFiles)
		lines := strings.Count(src, "\n") + 1
		for _, item := range file.Items {
			if p := item.Pos(); p.File() == "fuzz" && (p.Line() < 1 || p.Line() > lines || p.Col() < 1 || p.Col() > len(src)+1) {
				t.Errorf("an item at %v of %d lines", p, lines)
			}
		}
		var all Errors
		if err := rep.err(); err != nil && !errors.As(err, &all) {
			t.Errorf("an error of another type: %v", err)
		}
		for _, e := range all {
			if e.File == "fuzz" && e.Line != 0 && (e.Line > lines || e.Col < 1 || e.Col > len(src)+1) {
				t.Errorf("an error at %d:%d of %d lines", e.Line, e.Col, lines)
			}
			if strings.ContainsAny(e.Msg, "\x00") && !strings.Contains(src, "\x00") {
				t.Errorf("a message with a NUL: %q", e.Msg)
			}
		}
	})
}

// FuzzScript: what compiles also runs, and ends, whatever the message.
func FuzzScript(f *testing.F) {
	f.Add(`$var(x) = $ru + 5; xlog("$(var(x){s.substr,1,$rp})"); while ($var(x)) { $var(x) = $var(x) + $var(x); }`, string(invite))
	f.Add(`route(a); $rU = $(ru{re.subst,/a*/b/g}); append_hf("$mb"); subst("/\r\n/ /g"); forward($du); sl_send_reply($rs, $rb);`, string(invite))
	f.Add(`for ($avp(x) in $(hdr(Via)[*])) { $avp(x) := $(avp(x)[-1]{s.select,$ml,;}); } $ru = $hdr(Contact); $rd = $si; $rp = $cs;`, "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n")
	f.Fuzz(func(t *testing.T, statements, message string) {
		if len(statements) > 2000 || len(message) > 5000 {
			return
		}
		cfg, err := compile("fuzz", []byte(allModules+"route {\n"+statements+"\n}\nroute[a] { route(a); }\n"))
		if err != nil || strings.Contains(statements, "include_file") || strings.Contains(statements, "import_file") {
			return
		}
		b := benchFor(t, cfg)
		b.receive([]byte(message))
		b.receive(invite)
	})
}
