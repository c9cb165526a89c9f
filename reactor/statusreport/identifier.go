package statusreport

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Status tells whether something is ready: above 0 it is, below it is not.
type Status struct {
	Code    int
	Details string
}

// Ready reports whether what has the status is ready.
func (s Status) Ready() bool { return s.Code > 0 }

// The codes of what is loaded from a table.
const (
	NoData    = -2 // and nobody is at it
	Loading   = -1 // for the first time
	Loaded    = 1
	Reloading = 2 // what was loaded before serves
)

// A Report is a line, and when it was written.
type Report struct {
	At   time.Time
	Text string
}

// An Identifier is what tells of itself: a partition, say.
type Identifier struct {
	book        *Book
	group, name string
	keep        int // reports

	mu      sync.Mutex
	status  Status
	reports []Report // the oldest first
}

// Name returns the name within the group.
func (i *Identifier) Name() string { return i.name }

// Status returns how it is.
func (i *Identifier) Status() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.status
}

// Set changes the status.
func (i *Identifier) Set(code int, details string) {
	if i == nil {
		return
	}
	is := Status{code, details}
	i.mu.Lock()
	was := i.status
	i.status = is
	i.mu.Unlock()
	if was.Code != code && i.book.Changed != nil {
		i.book.Changed(i.group, i.name, was, is)
	}
}

// maxText bounds a report, which may come from messages.
const maxText = 1024

// Reportf adds a report; the oldest makes room.
func (i *Identifier) Reportf(format string, args ...any) {
	if i == nil {
		return
	}
	text := fmt.Sprintf(format, args...)
	r := Report{time.Now(), strings.ToValidUTF8(text[:min(len(text), maxText)], "?")}
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.reports) == i.keep {
		copy(i.reports, i.reports[1:])
		i.reports = i.reports[:i.keep-1]
	}
	i.reports = append(i.reports, r)
}

// Reports returns those that are kept, the oldest first.
func (i *Identifier) Reports() []Report {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Report{}, i.reports...)
}

// Load tells of a load of tables, in the words of OpenSIPS, and does it. had tells
// whether something was loaded before, load gives what was loaded in words.
func (i *Identifier) Load(had bool, load func() (what string, err error)) error {
	before, details := NoData, "no data"
	if had {
		before, details = Loaded, "data available"
		i.Set(Reloading, "reload in progress")
	} else {
		i.Set(Loading, "initial loading in progress")
	}
	i.Reportf("starting DB data loading")
	what, err := load()
	if err != nil {
		i.Reportf("DB data loading failed, discarding")
		i.Set(before, details)
		return err
	}
	i.Reportf("DB data loading successfully completed")
	i.Reportf("%s", what)
	i.Set(Loaded, "data available")
	return nil
}
