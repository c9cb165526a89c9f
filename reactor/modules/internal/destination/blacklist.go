package destination

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sipreactor/reactor/blacklist"
	"sipreactor/reactor/script"
)

// Blacklist is a list of the addresses of destinations, by the numbers of their sets,
// groups or types, for the script's use_blacklist().
type Blacklist struct {
	Partition string // "" is the default one
	numbers   []int
	list      *blacklist.List
}

var errBlacklist = errors.New(`is not written as "name = 1,2,3"`)

// DefineBlacklist adds a list to a configuration. The text is [partition:]name =
// numbers; with a partition given there is none in the text.
func DefineBlacklist(cfg *script.Config, owner, partition, text string) (*Blacklist, error) {
	name, numbers, ok := strings.Cut(text, "=")
	b := &Blacklist{Partition: partition}
	if part, rest, has := strings.Cut(name, ":"); has && partition == "" {
		b.Partition, name = strings.TrimSpace(part), rest
	}
	if name = strings.TrimSpace(name); !ok || name == "" {
		return nil, errBlacklist
	}
	for n := range strings.SplitSeq(numbers, ",") {
		i, err := strconv.Atoi(strings.TrimSpace(n))
		if err != nil {
			return nil, errBlacklist
		}
		b.numbers = append(b.numbers, i)
	}
	var err error
	if b.list, err = blacklist.NewList(name, owner, 0, nil); err != nil {
		return nil, err
	}
	if cfg.Proxy.Blacklists == nil {
		cfg.Proxy.Blacklists = new(blacklist.Set)
	}
	return b, cfg.Proxy.Blacklists.Add(b.list)
}

// Fill has the list be the addresses of the destinations that each yields with their
// numbers; ports and transports do not count.
func (b *Blacklist) Fill(each func(yield func(number int, a *Address))) error {
	var rules []blacklist.Rule
	each(func(number int, a *Address) {
		if !slices.Contains(b.numbers, number) {
			return
		}
		for _, at := range a.Addrs {
			r := blacklist.Rule{Net: netip.PrefixFrom(at.Addr().WithZone(""), at.Addr().BitLen())}
			if !slices.Contains(rules, r) {
				rules = append(rules, r)
			}
		}
	})
	return b.list.Replace(rules)
}
