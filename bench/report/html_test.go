package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	r := example()
	for n, kb := range map[string]float64{"idle-1000": 11, "idle-10000": 10} {
		r.Add(n, "sipreactor", Run{Values: map[string]float64{Pss: kb}})
	}
	r.Measures = append(r.Measures, Measure{Name: "idle-1000", Group: "idle", About: "idle", Unit: "connection", Main: Pss})
	file := filepath.Join(t.TempDir(), "report.html")
	if err := r.SaveHTML(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantAll(t, string(text), "<svg", "OPTIONS &lt;on&gt; 50", "kamailio×2", "25.0 µs ±20%", "signal 11", "not here: no opensips",
		"go -C bench run . --only calls-closed --peer haproxy", "To reach", "what holds for all", "connections</text>")
	// It loads nothing: the only addresses are the names of XML's languages.
	for _, part := range []string{"src=", "href=\"http", "url(", "@import", "<script"} {
		if strings.Contains(string(text), part) {
			t.Errorf("%s: the page loads something", part)
		}
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	r := example()
	for _, m := range r.Measures {
		drawing, err := r.bars(m)
		if err != nil {
			t.Fatal(err)
		}
		_, has := r.least(m.Name, m.Main, []string{"sipreactor", "kamailio", "haproxy"})
		if (drawing != "") != (has != "") {
			t.Errorf("%s: figures of %q, %d bytes of plot", m.Name, has, len(drawing))
		}
		for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v\n%s", m.Name, err, drawing)
			}
		}
	}
	if curve, err := r.curve("options"); err != nil || curve != "" {
		t.Errorf("a curve over no numbers of connections: %v %s", err, curve)
	}
}
