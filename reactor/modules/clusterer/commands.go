package clusterer

import (
	"context"
	"encoding/json"
	"strconv"

	"sipreactor/reactor/rpc"
)

func (m *module) commands() []rpc.Command {
	number := func(name string) rpc.Param { return rpc.Param{Name: name, Kind: rpc.Integer} }
	command := func(name, help string, f func(context.Context, *rpc.Args) (any, error), params ...rpc.Param) rpc.Command {
		return rpc.Command{Name: name, Aliases: []string{"clusterer:" + name}, Module: "clusterer", Help: help, Params: params, Func: f}
	}
	return []rpc.Command{
		command("clusterer_list", "Lists the other nodes of each cluster, which are down for this one.", m.list),
		command("clusterer_list_topology", "Lists the nodes of each cluster and which of them see each other: none.", m.topology),
		command("clusterer_list_cap", "Lists what is shared in each cluster: nothing.", func(context.Context, *rpc.Args) (any, error) { return map[string]any{"Clusters": []any{}}, nil }),
		command("clusterer_reload", "Reads the table again: all of it, or nothing after an error.", m.reload),
		command("clusterer_set_status", "Disables this node in a cluster (0), or enables it (1).", m.setStatus, number("cluster_id"), number("status")),
		command("clusterer_list_shtags", "Lists the sharing tags.", m.listTags),
		command("clusterer_shtag_set_active", "Makes a sharing tag active, name/cluster.", m.activate, rpc.Param{Name: "tag"}),
		command("cluster_broadcast_mi", "Runs a command on all nodes of a cluster: on this one.", m.broadcast, number("cluster_id"), rpc.Param{Name: "cmd_name"}, rpc.Param{Name: "cmd_params", Kind: rpc.List, Optional: true}),
		command("cluster_send_mi", "Runs a command on another node, which cannot be reached.", func(context.Context, *rpc.Args) (any, error) {
			return nil, rpc.Failed("Node is not reachable", "nodes do not speak to each other")
		}, number("cluster_id"), number("destination"), rpc.Param{Name: "cmd_name"}, rpc.Param{Name: "cmd_params", Kind: rpc.List, Optional: true}),
	}
}

// clusters lists what of gives of the nodes of each cluster, in the order in which they come.
func (m *module) clusters(keep func(n *node) bool, of func(n *node) any) any {
	type cluster struct {
		ID    int64 `json:"cluster_id"`
		Nodes []any `json:"Nodes"`
	}
	list := []*cluster{}
	byID := map[int64]*cluster{}
	for _, n := range m.all() {
		c := byID[n.cluster]
		if c == nil {
			c = &cluster{ID: n.cluster, Nodes: []any{}}
			byID[n.cluster], list = c, append(list, c)
		}
		if keep(n) {
			c.Nodes = append(c.Nodes, of(n))
		}
	}
	return map[string]any{"Clusters": list}
}

func (m *module) list(context.Context, *rpc.Args) (any, error) {
	type shown struct {
		ID          int64  `json:"node_id"`
		DBID        int64  `json:"db_id"`
		URL         string `json:"url"`
		Link        string `json:"link_state"`
		State       string `json:"state"`
		Next        string `json:"next_hop"`
		Description string `json:"description"`
	}
	return m.clusters(func(n *node) bool { return n.id != m.id }, func(n *node) any {
		state := "enabled"
		if n.disabled {
			state = "disabled"
		}
		return shown{n.id, n.dbID, n.url, "Down", state, "none", n.description}
	}), nil
}

func (m *module) topology(context.Context, *rpc.Args) (any, error) {
	return m.clusters(func(*node) bool { return true }, func(n *node) any { return map[string]any{"node_id": n.id, "Neighbours": []int64{}} }), nil
}

func (m *module) reload(ctx context.Context, _ *rpc.Args) (any, error) {
	if m.nodes == nil {
		return nil, &rpc.Error{Code: 400, Message: "DB mode is not enabled"}
	}
	if err := m.nodes.Reload(ctx); err != nil {
		return nil, err
	}
	return "OK", nil
}

func (m *module) setStatus(_ context.Context, a *rpc.Args) (any, error) {
	cluster, status := int64(a.Int("cluster_id")), a.Int("status")
	if _, known := m.isDisabled(cluster); !known {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Cluster id not found"}
	}
	if status != 0 && status != 1 {
		return nil, &rpc.Error{Code: 400, Message: "Invalid status"}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.disabled[cluster] = status == 0
	return "OK", nil
}

func (m *module) listTags(context.Context, *rpc.Args) (any, error) {
	type shown struct {
		Tag     string `json:"Tag"`
		Cluster int64  `json:"Cluster"`
		State   string `json:"State"`
	}
	m.tags.mu.Lock()
	defer m.tags.mu.Unlock()
	list := make([]shown, len(m.tags.order))
	for i, t := range m.tags.order {
		list[i] = shown{t.name, t.cluster, stateName(m.tags.active[t])}
	}
	return list, nil
}

func (m *module) activate(_ context.Context, a *rpc.Args) (any, error) {
	t, err := parseTag(a.Text("tag"))
	if err != nil {
		return nil, &rpc.Error{Code: 400, Message: "Invalid tag", Data: err.Error()}
	}
	m.setTag(t, true)
	return "OK", nil
}

// broadcast runs a command here, as it would on each node.
func (m *module) broadcast(ctx context.Context, a *rpc.Args) (any, error) {
	if _, known := m.isDisabled(int64(a.Int("cluster_id"))); !known {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Cluster id not found"}
	}
	name := a.Text("cmd_name")
	if name == "cluster_broadcast_mi" || name == "clusterer:cluster_broadcast_mi" || m.env.Commands == nil {
		return nil, &rpc.Error{Code: 400, Message: "Invalid command"}
	}
	request := map[string]any{"jsonrpc": "2.0", "id": 1, "method": name}
	if list := a.List("cmd_params"); len(list) > 0 {
		params := make([]any, len(list))
		for i, text := range list {
			params[i] = text
			if n, err := strconv.Atoi(text); err == nil {
				params[i] = n
			}
		}
		request["params"] = params
	}
	raw, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *rpc.Error      `json:"error"`
	}
	if err := json.Unmarshal(m.env.Commands.Handle(ctx, raw), &answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Result, nil
}
