package page

import (
	"regexp"
	"testing"

	"sipreactor/reactor"
)

// The page names figures of the engine that there are.
func TestFiguresOfThePage(t *testing.T) {
	totals := totalsOf(&reactor.Stats{})
	panels, err := embedded.ReadFile("assets/panels.js")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`t\["([a-z_:]+)"\]`).FindAllSubmatch(panels, -1)
	if len(named) < 6 {
		t.Errorf("it names %d", len(named))
	}
	for _, m := range named {
		if _, there := totals[string(m[1])]; !there {
			t.Errorf("there is no figure %s", m[1])
		}
	}
}
