package page

import (
	"context"
	"strconv"

	"sipreactor/reactor"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/rpc"
)

// Commands gives the commands that the page needs: overview, conn_details and
// find_conns. The node must have an engine, the one that the recorder observes.
// Any goroutine may carry them out.
func Commands(n *mi.Node, r *Recorder) []rpc.Command {
	m := &maker{node: n, rec: r}
	f := &finder{engine: n.Engine}
	return []rpc.Command{
		{
			Name: "overview", Aliases: []string{"page:overview"}, Module: "page",
			Help:   "Tells at a glance how the program does; with since, also samples of its counters from that number on.",
			Params: []rpc.Param{{Name: "since", Kind: rpc.Integer, Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return m.overview(a) },
		},
		{
			Name: "conn_details", Aliases: []string{"page:conn_details"}, Module: "page",
			Help:   "Tells what is known of a connection, by its ID: its state, certificate and events. The last ones that ended are known too.",
			Params: []rpc.Param{{Name: "id"}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return m.details(a.Text("id")) },
		},
		{
			Name: "find_conns", Aliases: []string{"page:find_conns"}, Module: "page",
			Help: "Finds connections whose ID, address, phase, direction, protocol, domain or certificate's name holds each of the words; " +
				"those with the longest queue first, then the youngest.",
			Params: []rpc.Param{{Name: "words", Optional: true}},
			Func:   func(_ context.Context, a *rpc.Args) (any, error) { return f.find(a.Text("words")), nil },
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

func (m *maker) overview(a *rpc.Args) (any, error) {
	if !a.Has("since") {
		return m.get(), nil
	}
	since := a.Int("since")
	if since < 0 {
		return nil, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "since must not be negative"}
	}
	s := sampled{overview: m.get(), SampleFields: sampleFields}
	m.rec.lock()
	defer m.rec.mu.Unlock()
	s.Samples, s.Next = m.rec.samples.from(since)
	return s, nil
}

// notFound is the answer when no connection has the ID.
func notFound(id string) error {
	return &rpc.Error{Code: rpc.CodeNotFound, Message: "Connection not found", Data: id}
}

// parseID reads a connection's ID.
func parseID(id string) (reactor.Handle, error) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n == 0 {
		return 0, &rpc.Error{Code: rpc.CodeParams, Message: "Invalid params", Data: "id is not the ID of a connection"}
	}
	return reactor.Handle(n), nil
}
