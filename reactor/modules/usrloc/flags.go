package usrloc

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"sipreactor/reactor/location"
)

// numbering is the names of branch flags, by their numbers.
type numbering [32]string

// numberings are those of all configurations of this life of the program, by era: a reload may number flags anew, and
// contacts that were saved before keep theirs by name.
type numberings struct{ list atomic.Pointer[[]numbering] }

var errEras = errors.New("usrloc: branch flags were numbered anew 255 times: the next time needs a restart")

// number gives this configuration its era: that of old, if flags have the same numbers.
func (m *Module) number(old *Module) error {
	var own numbering
	for n := range own {
		if m.env.Program != nil {
			own[n] = m.env.Program.BranchFlagName(uint(n))
		}
		if own[n] == "" {
			own[n] = fmt.Sprint(n)
		}
	}
	var list []numbering
	if old != nil {
		m.numbers = old.numbers
		list = *m.numbers.list.Load()
	} else {
		m.numbers = new(numberings)
	}
	if n := len(list); n == 0 || list[n-1] != own {
		if n == 1<<8 {
			return errEras
		}
		list = append(list[:n:n], own)
		m.numbers.list.Store(&list)
	}
	m.era = uint8(len(list) - 1)
	return nil
}

// Era is that of flags which this configuration gives contacts.
func (m *Module) Era() uint8 { return m.era }

// Flags returns the branch flags of a contact by the numbers of this configuration. One that this has no name for is left
// out.
func (m *Module) Flags(c *location.Contact) uint32 {
	if c.Era == m.era || c.BranchFlags == 0 {
		return c.BranchFlags
	}
	list := *m.numbers.list.Load()
	from, to := &list[c.Era], &list[m.era]
	var flags uint32
	for n := range from {
		if c.BranchFlags&(1<<n) == 0 {
			continue
		}
		for k := range to {
			if to[k] == from[n] {
				flags |= 1 << k
			}
		}
	}
	return flags
}

// flagNames writes branch flags as the table and management have them: by name, with spaces between them.
func (m *Module) flagNames(flags uint32) string {
	if flags == 0 {
		return ""
	}
	names := &(*m.numbers.list.Load())[m.era]
	var set []string
	for n := range names {
		if flags&(1<<n) != 0 {
			set = append(set, names[n])
		}
	}
	return strings.Join(set, " ")
}

// flagsOf reads what flagNames writes; a flag that the script does not have is left out.
func (m *Module) flagsOf(text string) (flags uint32) {
	names := &(*m.numbers.list.Load())[m.era]
	for _, name := range strings.Fields(text) {
		for n := range names {
			if names[n] == name {
				flags |= 1 << n
			}
		}
	}
	return flags
}
