package statusreport

import (
	"slices"
	"sync"
)

// Aggregate names all identifiers of a group together: "all" is ready where each is.
const Aggregate = "all"

// Main is the identifier of a group that has one alone.
const Main = "main"

// A Book is what all groups tell. The zero value is empty.
type Book struct {
	// Changed is told of each change of a status; nil: nobody is. It must not block and is
	// set before the first use.
	Changed func(group, identifier string, was, is Status)

	mu  sync.Mutex
	all []*Identifier // in the order in which they were made
}

// Identifier gives an identifier of a group, made if it is not there, that keeps its last
// reports. One that is there keeps what it has: a module that is loaded anew goes on
// with it. The names are the configuration's, which bounds their number.
func (b *Book) Identifier(group, name string, keep int) *Identifier {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.find(group, name); i != nil {
		return i
	}
	i := &Identifier{book: b, group: group, name: name, keep: keep, status: Status{Code: 1}}
	b.all = append(b.all, i)
	return i
}

func (b *Book) find(group, name string) *Identifier {
	for _, i := range b.all {
		if i.group == group && i.name == name {
			return i
		}
	}
	return nil
}

// Groups names the groups.
func (b *Book) Groups() (names []string) {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range b.all {
		if !slices.Contains(names, i.group) {
			names = append(names, i.group)
		}
	}
	return names
}

// Group lists the identifiers of a group; none if there is no such group.
func (b *Book) Group(group string) (list []*Identifier) {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, i := range b.all {
		if i.group == group {
			list = append(list, i)
		}
	}
	return list
}

// Status gives the status of an identifier, of Main where it is "", and of all together
// where it is Aggregate. It reports false where there is none.
func (b *Book) Status(group, identifier string) (Status, bool) {
	list := b.Group(group)
	if identifier == Aggregate {
		all := Status{Code: 1, Details: "aggregated"}
		for _, i := range list {
			if !i.Status().Ready() {
				all.Code = -1
			}
		}
		return all, len(list) > 0
	}
	if identifier == "" {
		identifier = Main
	}
	for _, i := range list {
		if i.name == identifier {
			return i.Status(), true
		}
	}
	return Status{}, false
}
