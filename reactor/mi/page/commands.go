package page

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
)

// maxFound is how many connections a search shows.
const maxFound = 50

// Commands gives the commands that the page needs: overview, conn_details and
// find_conns. The node must have an engine, the one that the recorder observes.
// Any goroutine may carry them out.
func Commands(n *mi.Node, r *Recorder) []mi.Command {
	m := &maker{node: n, rec: r}
	return []mi.Command{
		{
			Name: "overview", Aliases: []string{"page:overview"}, Module: "page",
			Help:   "Tells at a glance how the program does; with since, also samples of its counters from that number on.",
			Params: []mi.Param{{Name: "since", Kind: mi.Integer, Optional: true}},
			Func:   func(_ context.Context, a *mi.Args) (any, error) { return m.overview(a) },
		},
		{
			Name: "conn_details", Aliases: []string{"page:conn_details"}, Module: "page",
			Help:   "Tells what is known of a connection, by its ID: its state, certificate and events. The last ones that ended are known too.",
			Params: []mi.Param{{Name: "id"}},
			Func:   func(_ context.Context, a *mi.Args) (any, error) { return m.details(a.Text("id")) },
		},
		{
			Name: "find_conns", Aliases: []string{"page:find_conns"}, Module: "page",
			Help: "Finds connections whose ID, address, phase, direction, protocol, domain or certificate's name holds each of the words; " +
				"those with the longest queue first, then the youngest.",
			Params: []mi.Param{{Name: "words", Optional: true}},
			Func:   func(_ context.Context, a *mi.Args) (any, error) { return m.find(a.Text("words")), nil },
		},
	}
}

// sampled is an overview with samples.
type sampled struct {
	*overview
	SampleFields []string
	Samples      [][]uint64
	Next         int // what to ask for as since
}

func (m *maker) overview(a *mi.Args) (any, error) {
	if !a.Has("since") {
		return m.get(), nil
	}
	since := a.Int("since")
	if since < 0 {
		return nil, &mi.Error{Code: mi.CodeParams, Message: "Invalid params", Data: "since must not be negative"}
	}
	s := sampled{overview: m.get(), SampleFields: sampleFields}
	m.rec.mu.Lock()
	defer m.rec.mu.Unlock()
	s.Samples, s.Next = m.rec.samples.from(since)
	return s, nil
}

// found is one connection that a search found.
type found struct {
	ID, Proto, Remote, Local, Direction, Phase string
	TLS, Domain, Name                          string
	Queue                                      int
	Stuck                                      bool
	Age, Idle                                  float64
}

// find lists at most maxFound of the connections that hold the words.
func (m *maker) find(words string) any {
	var result struct {
		Connections []found
		Total       int
	}
	result.Connections = []found{}
	want := strings.Fields(strings.ToLower(words))
	m.node.Engine.Conns(func(i *reactor.ConnInfo) bool {
		f := found{ID: idText(i.Conn), Proto: i.Proto.String(), Remote: i.Remote.String(), Local: i.Local.String(),
			Direction: direction(i.Outbound), Phase: i.Phase, TLS: i.TLSVersion, Domain: i.Domain, Name: commonName(i),
			Queue: i.Queue, Stuck: i.Stuck, Age: i.Age.Seconds(), Idle: i.Idle.Seconds()}
		if !f.holds(want) {
			return true
		}
		result.Total++
		at, _ := slices.BinarySearchFunc(result.Connections, f, func(a, b found) int {
			return cmp.Or(boolCompare(b.Stuck, a.Stuck), cmp.Compare(b.Queue, a.Queue), cmp.Compare(a.Age, b.Age), cmp.Compare(a.ID, b.ID))
		})
		if at < maxFound {
			result.Connections = slices.Insert(result.Connections, at, f)
			result.Connections = result.Connections[:min(len(result.Connections), maxFound)]
		}
		return true
	})
	return &result
}

func (f *found) holds(words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join([]string{f.ID, f.Proto, f.Remote, f.Local, f.Direction, f.Phase, f.TLS, f.Domain, f.Name}, "\n"))
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// commonName is the peer's name by its certificate.
func commonName(i *reactor.ConnInfo) string {
	if i.Peer == nil {
		return ""
	}
	return brief(i.Peer.Subject.CommonName)
}

// notFound is the answer when no connection has the ID.
func notFound(id string) error {
	return &mi.Error{Code: mi.CodeNotFound, Message: "Connection not found", Data: id}
}

// parseID reads a connection's ID.
func parseID(id string) (reactor.Handle, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n == 0 {
		return 0, &mi.Error{Code: mi.CodeParams, Message: "Invalid params", Data: "id is not the ID of a connection"}
	}
	return reactor.Handle(n), nil
}
