package statusreport

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func texts(i *Identifier) string {
	var all []string
	for _, r := range i.Reports() {
		all = append(all, r.Text)
	}
	return strings.Join(all, "|")
}

// A load tells how it stands at each moment, and what became of it; who waits for the status hears of each change.
func TestLoad(t *testing.T) {
	var changes []string
	b := &Book{Changed: func(group, identifier string, was, is Status) {
		changes = append(changes, fmt.Sprint(group, "/", identifier, " ", was.Code, ">", is.Code))
	}}
	i := b.Identifier("drouting", "Default", 5)
	wrong := errors.New("wrong")
	if err := i.Load(false, func() (string, error) { return "", wrong }); err != wrong || i.Status() != (Status{NoData, "no data"}) || i.Status().Ready() {
		t.Errorf("%v %+v", err, i.Status())
	}
	if err := i.Load(false, func() (string, error) { return "2 rules", nil }); err != nil || i.Status() != (Status{Loaded, "data available"}) {
		t.Errorf("%v %+v", err, i.Status())
	}
	if err := i.Load(true, func() (string, error) {
		if s := i.Status(); s.Code != Reloading || !s.Ready() {
			t.Errorf("while it is loaded anew: %+v", s)
		}
		return "", wrong
	}); err != wrong || i.Status().Code != Loaded {
		t.Errorf("%v %+v", err, i.Status())
	}
	if got, want := texts(i), "starting DB data loading|DB data loading successfully completed|2 rules|starting DB data loading|DB data loading failed, discarding"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	if got, want := strings.Join(changes, ","), "drouting/Default 1>-1,drouting/Default -1>-2,drouting/Default -2>-1,drouting/Default -1>1,drouting/Default 1>2,drouting/Default 2>1"; got != want {
		t.Errorf("told of %s, want %s", got, want)
	}
}

// Who is loaded anew goes on with what it has told, a group is ready where each of it is, and nobody's is told in vain.
func TestGroups(t *testing.T) {
	b := &Book{}
	one, two := b.Identifier("dispatcher", "one", 2), b.Identifier("dispatcher", "two", 2)
	b.Identifier("core", Main, 2).Set(1, "running")
	one.Reportf("a")
	if b.Identifier("dispatcher", "one", 9) != one || texts(one) != "a" {
		t.Error("a second identifier of one name")
	}
	if got := strings.Join(b.Groups(), ","); got != "dispatcher,core" || len(b.Group("dispatcher")) != 2 || b.Group("none") != nil {
		t.Error(got)
	}
	two.Set(-2, "no data")
	for _, c := range []struct {
		group, identifier string
		want              Status
		found             bool
	}{
		{"core", "", Status{1, "running"}, true},
		{"dispatcher", Aggregate, Status{-1, "aggregated"}, true},
		{"dispatcher", "two", Status{-2, "no data"}, true},
		{"dispatcher", "", Status{}, false},
		{"none", Aggregate, Status{1, "aggregated"}, false},
	} {
		if got, found := b.Status(c.group, c.identifier); got != c.want || found != c.found {
			t.Errorf("%s %s: %+v %v", c.group, c.identifier, got, found)
		}
	}
	var none *Book
	i := none.Identifier("core", Main, 1)
	i.Set(1, "")
	i.Reportf("in vain")
	if i != nil || none.Groups() != nil || none.Group("core") != nil {
		t.Error("a nil book has something")
	}
}
