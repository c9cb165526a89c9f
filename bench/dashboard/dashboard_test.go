package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// board is what the tests want of a dashboard.
type board struct {
	UID, Title  string
	Panels      []panel
	Annotations struct{ List []target }
	Templating  struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []target
}

type target struct {
	RefID, Expr, LegendFormat, TitleFormat string
	Datasource                             struct{ Type, UID string }
}

func read(t *testing.T) *board {
	t.Helper()
	data, err := os.ReadFile("sipreactor.json")
	if err != nil {
		t.Fatal(err)
	}
	b := new(board)
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(b); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Fatal("something stands behind the dashboard")
	}
	return b
}

var (
	legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
	labelValues = regexp.MustCompile(`^label_values\((\w+), *(\w+)\)$`)
)

// faults is what of the dashboard a program cannot answer.
func (b *board) faults(x exposed) error {
	var wrong []error
	look := func(where string, q *target) {
		there, err := x.check(q.Expr)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s: %w", where, q.Expr, err))
		}
		for _, l := range legendLabel.FindAllStringSubmatch(q.LegendFormat+q.TitleFormat, -1) {
			if !there[l[1]] {
				wrong = append(wrong, fmt.Errorf("%s: %s: the legend names %q, which the result has not", where, q.Expr, l[1]))
			}
		}
	}
	for _, p := range b.Panels {
		for i := range p.Targets {
			look(p.Title, &p.Targets[i])
		}
	}
	for i := range b.Annotations.List {
		look("annotation", &b.Annotations.List[i])
	}
	for _, v := range b.Templating.List {
		q, ok := v.Query.(map[string]any)
		if !ok {
			continue
		}
		m := labelValues.FindStringSubmatch(fmt.Sprint(q["query"]))
		if m == nil {
			wrong = append(wrong, fmt.Errorf("variable %s: %v is no label_values()", v.Name, q["query"]))
		} else if there, err := x.check(m[1]); err != nil || !there[m[2]] {
			wrong = append(wrong, fmt.Errorf("variable %s: label %s of %s: %w", v.Name, m[2], m[1], err))
		}
	}
	return errors.Join(wrong...)
}

// TestDashboard asks a running program for all that the dashboard shows.
func TestDashboard(t *testing.T) {
	b := read(t)
	p := start(t)
	p.keepBusy(t)
	var err error
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var x exposed
		if x, err = ask(p.metrics); err == nil {
			if err = b.faults(x); err == nil {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	expressions := 0
	for _, p := range b.Panels {
		expressions += len(p.Targets)
	}
	t.Logf("%d panels with %d expressions", len(b.Panels), expressions)
}

// TestWrongExpressions: the check finds what is wrong.
func TestWrongExpressions(t *testing.T) {
	some := func(values ...string) map[string]bool {
		m := make(map[string]bool)
		for _, v := range values {
			m[v] = true
		}
		return m
	}
	x := exposed{
		"a_total":  {counter: true, labels: map[string]map[string]bool{"code": some("200", "404")}},
		"b":        {labels: map[string]map[string]bool{}},
		"h_bucket": {counter: true, labels: map[string]map[string]bool{"le": some("1", "+Inf")}},
	}
	for expr, want := range map[string]string{
		`sum by (code) (rate(a_total{instance=~"$instance", code="200"}[$__rate_interval]))`: "",
		`b{job="x"} / 86400`: "",
		`histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))`: "",
		`rate(unknown_total[5m])`:                                   `there is no metric "unknown_total"`,
		`sum(b) / sum(unknown)`:                                     `there is no metric "unknown"`,
		`rate(a_total{reason="x"}[5m])`:                             `a_total has no label "reason"`,
		`rate(a_total{code="500"}[5m])`:                             `no value of code`,
		`rate(a_total{code=~"5.."}[5m])`:                            `no value of code`,
		`sum by (reason) (rate(a_total[5m]))`:                       `groups by "reason"`,
		`sum by (code) (sum(rate(a_total[5m])))`:                    `groups by "code"`,
		`a_total`:                                                   `in rate() false`,
		`rate(b[5m])`:                                               `in rate() true`,
		`histogram_quantile(0.9, sum(rate(h_bucket[5m])))`:          `has no buckets`,
		`rate(a_total[5m]`:                                          `unclosed left parenthesis`,
	} {
		_, err := x.check(expr)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
	b := &board{Panels: []panel{{Title: "one", Targets: []target{{Expr: `sum(b)`, LegendFormat: "{{code}}"}}}}}
	if err := b.faults(x); err == nil || !strings.Contains(err.Error(), `one: sum(b): the legend names "code"`) {
		t.Errorf("a legend without its label: %v", err)
	}
}

// TestLayout: what Grafana would show wrongly without a word.
func TestLayout(t *testing.T) {
	b := read(t)
	if b.UID != "sipreactor" || b.Title != "sipreactor" {
		t.Errorf("%q, %q", b.UID, b.Title)
	}
	ids := make(map[int]bool)
	taken := make(map[[2]int]string)
	for _, p := range b.Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			t.Errorf("%s: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%q lies on %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Description == "" {
			t.Errorf("%s: %d expressions, description %q", p.Title, len(p.Targets), p.Description)
		}
		refs := make(map[string]bool)
		for _, q := range p.Targets {
			if q.RefID == "" || refs[q.RefID] || q.Datasource.UID != "${datasource}" || !strings.Contains(q.Expr, `instance=~"$instance"`) {
				t.Errorf("%s: %+v", p.Title, q)
			}
			refs[q.RefID] = true
		}
	}
}
