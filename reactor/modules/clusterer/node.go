package clusterer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

// node is a node of a cluster.
type node struct {
	dbID, cluster, id      int64
	url, sip, description  string
	disabled               bool
	flags                  string
	binAddress, sipAddress netip.Addr // of url and sip, where they are addresses
}

// tableVersion is that of the table's layout.
const tableVersion = 4

// parseNode reads "property=value, ..." as the parameters have it. own is this node, which has no
// node_id there.
func parseNode(text string, own bool) (*node, error) {
	n := &node{}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			if name == "" {
				continue
			}
			return nil, fmt.Errorf("found %q, expected property=value", name)
		}
		var err error
		switch name {
		case "cluster_id":
			n.cluster, err = positive(value)
		case "node_id":
			n.id, err = positive(value)
		case "url":
			n.url = value
		case "sip_addr":
			n.sip = value
		case "description":
			n.description = value
		case "flags":
			n.flags = value
		case "state":
			n.disabled = value == "0"
		case "no_ping_retries", "priority", "id":
			_, err = strconv.Atoi(value)
		default:
			return nil, fmt.Errorf("has the property %q: there are cluster_id, node_id, url, state, no_ping_retries, priority, sip_addr, flags and description", name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s=%s is no number", name, value)
		}
	}
	if n.cluster == 0 || n.id == 0 && !own {
		return nil, fmt.Errorf("needs cluster_id and url, and node_id of another node: %q", text)
	}
	return n, n.settle()
}

func positive(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 31)
	if err == nil && n <= 0 {
		err = strconv.ErrRange
	}
	return n, err
}

// settle reads the addresses of a node.
func (n *node) settle() error {
	rest, ok := strings.CutPrefix(n.url, "bin:")
	if !ok {
		return fmt.Errorf("has the url %q, expected bin:host[:port]", n.url)
	}
	host := rest
	if h, _, err := net.SplitHostPort(rest); err == nil {
		host = h
	}
	n.binAddress, _ = netip.ParseAddr(strings.Trim(host, "[]"))
	var u sipframe.URI
	if sip := []byte(n.sip); len(sip) > 0 && sipframe.ParseURI(sip, &u) == nil {
		n.sipAddress, _ = netip.ParseAddr(strings.Trim(string(u.Host.In(sip)), "[]"))
	}
	return nil
}

// load reads the nodes of the clusters that this one belongs to.
func (m *module) load(ctx context.Context, s store.Source) (*[]*node, error) {
	var all []*node
	c := &m.columns
	q := store.Select{Table: m.table, Columns: []string{c.id, c.cluster, c.node, c.url, c.state, c.sip, c.flags, c.description}, Key: c.id, Version: tableVersion}
	err := s.Load(ctx, q, func(r *store.Row) error {
		n := &node{dbID: r.Int(0), cluster: r.IntIn(1, 1, 1<<31-1), id: r.IntIn(2, 1, 1<<31-1), url: r.Text(3), disabled: r.Int(4) == 0, sip: r.Text(5), flags: r.Text(6), description: r.Text(7)}
		if err := n.settle(); err != nil {
			return r.Fault(3, "%v", err)
		}
		all = append(all, n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	mine := map[int64]bool{}
	for _, n := range all {
		mine[n.cluster] = mine[n.cluster] || n.id == m.id
	}
	known := all[:0]
	for _, n := range all {
		if mine[n.cluster] {
			known = append(known, n)
		}
	}
	if len(mine) > 0 && len(known) == 0 {
		return nil, fmt.Errorf("table %s has no row of node_id %d, which my_node_id says this is", m.table, m.id)
	}
	return &known, nil
}
