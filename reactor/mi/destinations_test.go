package mi

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sipreactor/reactor/rpc"
)

// oneDestination is a source with one destination.
type oneDestination struct {
	Destination
	set []bool
}

func (s *oneDestination) Destinations() []Destination { return []Destination{s.Destination} }

func (s *oneDestination) SetDestination(_, _ string, on bool) error {
	s.set = append(s.set, on)
	return nil
}

func (s *oneDestination) ProbeDestination(ctx context.Context, _, _ string) (string, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return "", errors.New("a probe without an end")
	}
	return "200", nil
}

func TestDestinations(t *testing.T) {
	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := &oneDestination{Destination: Destination{Module: "dispatcher", Group: "default:1", Name: "sip:a", URI: "sip:a", State: "Probing", Since: since, Why: "408",
		Calls: 7, Running: 1, Answers: [6]uint64{0, 3, 0, 2, 1, 0}, Silent: 1, Latency: 20 * time.Millisecond}}
	n := &Node{Destinations: func() []DestinationSource { return []DestinationSource{s} }}
	d := rpc.NewDispatcher(nil)
	if err := d.Register(n.destinations()...); err != nil {
		t.Fatal(err)
	}
	call := func(method, params string) string {
		return string(d.Handle(t.Context(), []byte(`{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`)))
	}
	want := `{"Destinations":[{"Module":"dispatcher","Group":"default:1","Name":"sip:a","URI":"sip:a","State":"Probing","Since":"2026-03-01T12:00:00Z","Why":"408",` +
		`"Calls":7,"Running":1,"Answers":{"2xx":3,"3xx":0,"4xx":2,"5xx":1,"6xx":0},"Failed":0,"Silent":1,"Latency ms":20}]}`
	if got := call("destinations", `{}`); !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
	if got := call("destinations", `["drouting"]`); !strings.Contains(got, `{"Destinations":[]}`) {
		t.Errorf("of another module: %s", got)
	}
	call("destination_disable", `["dispatcher", "default:1", "sip:a"]`)
	call("destination_enable", `["dispatcher", "default:1", "sip:a"]`)
	if len(s.set) != 2 || s.set[0] || !s.set[1] {
		t.Errorf("set %v", s.set)
	}
	if got := call("destination_probe", `["dispatcher", "default:1", "sip:a"]`); !strings.Contains(got, `"Answer":"200"`) {
		t.Errorf("%s", got)
	}
	if got := call("destination_probe", `["dispatcher", "default:2", "sip:a"]`); !strings.Contains(got, "Destination not found") {
		t.Errorf("%s", got)
	}
	if (&Node{}).destinations() != nil {
		t.Error("a node without destinations has commands about them")
	}
}
