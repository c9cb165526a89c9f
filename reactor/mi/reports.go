package mi

import (
	"context"
	"slices"
	"time"

	"sipreactor/reactor/rpc"
	"sipreactor/reactor/statusreport"
)

var (
	errNoGroup      = &rpc.Error{Code: rpc.CodeNotFound, Message: "there is no such group"}
	errNoIdentifier = &rpc.Error{Code: rpc.CodeNotFound, Message: "there is no such identifier"}
)

// reports are the commands of the Status/Report interface.
func (n *Node) reports() []rpc.Command {
	b := n.Reports
	if b == nil {
		return nil
	}
	group := rpc.Param{Name: "group", Optional: true}
	identifier := rpc.Param{Name: "identifier", Optional: true}
	return []rpc.Command{
		{
			Name: "sr_get_status", Aliases: []string{"status_report:get"}, Module: "core",
			Help:   "Tells how ready an identifier of a group is: main, unless one is named, or with all each of them.",
			Params: []rpc.Param{{Name: "group"}, identifier},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				s, ok := b.Status(a.Text("group"), a.Text("identifier"))
				switch {
				case ok:
					return describeStatus(s), nil
				case len(b.Group(a.Text("group"))) == 0:
					return nil, errNoGroup
				default:
					return nil, errNoIdentifier
				}
			},
		},
		{
			Name: "sr_list_status", Aliases: []string{"status_report:status"}, Module: "core",
			Help:   "Tells how ready the identifiers of a group, or of all groups, are.",
			Params: []rpc.Param{group},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return groups(b, a, "Name", func(i *statusreport.Identifier) any {
					return append(rpc.Object{{Name: "Name", Value: i.Name()}}, describeStatus(i.Status())...)
				})
			},
		},
		{
			Name: "sr_list_reports", Aliases: []string{"status_report:reports"}, Module: "core",
			Help:   "Lists the last reports of an identifier, of a group, or all.",
			Params: []rpc.Param{group, identifier},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return groups(b, a, "Name", func(i *statusreport.Identifier) any {
					lines := []rpc.Object{}
					for _, r := range i.Reports() {
						lines = append(lines, rpc.Object{{Name: "Timestamp", Value: r.At.Unix()}, {Name: "Date", Value: r.At.Format(time.ANSIC)}, {Name: "Log", Value: r.Text}})
					}
					return rpc.Object{{Name: "Name", Value: i.Name()}, {Name: "Reports", Value: lines}}
				})
			},
		},
		{
			Name: "sr_list_identifiers", Aliases: []string{"status_report:identifiers"}, Module: "core",
			Help:   "Names the identifiers of a group, or of all groups.",
			Params: []rpc.Param{group},
			Func: func(_ context.Context, a *rpc.Args) (any, error) {
				return groups(b, a, "Group", func(i *statusreport.Identifier) any { return i.Name() })
			},
		},
	}
}

func describeStatus(s statusreport.Status) rpc.Object {
	o := rpc.Object{{Name: "Readiness", Value: s.Ready()}, {Name: "Status", Value: s.Code}}
	if s.Details != "" {
		o = append(o, rpc.Object{{Name: "Details", Value: s.Details}}...)
	}
	return o
}

// groups lists the identifiers of all groups, or gives those of the one that is asked for.
func groups(b *statusreport.Book, a *rpc.Args, label string, describe func(*statusreport.Identifier) any) (any, error) {
	one := func(group string) (any, error) {
		list := []any{}
		for _, i := range b.Group(group) {
			if !a.Has("identifier") || a.Text("identifier") == i.Name() {
				list = append(list, describe(i))
			}
		}
		if len(list) == 0 {
			return nil, errNoIdentifier
		}
		return rpc.Object{{Name: label, Value: group}, {Name: "Identifiers", Value: list}}, nil
	}
	if a.Has("group") {
		if !slices.Contains(b.Groups(), a.Text("group")) {
			return nil, errNoGroup
		}
		return one(a.Text("group"))
	}
	all := []any{}
	for _, g := range b.Groups() {
		o, err := one(g)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}
