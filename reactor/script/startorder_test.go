package script

import (
	"strings"
	"testing"
)

// TestStartOrder: what a module needs or uses starts before it, however they are loaded.
func TestStartOrder(t *testing.T) {
	c := &Config{modules: []*Module{{Name: "relay", Uses: []string{"tm", "absent", "dialog"}}, {Name: "dialog", Needs: []string{"tm"}}, {Name: "tm", Uses: []string{"relay"}}, {Name: "sl"}}}
	var names []string
	for _, m := range c.startOrder() {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, " "); got != "tm dialog relay sl" {
		t.Errorf("started as %s", got)
	}
}
