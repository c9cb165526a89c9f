package script

import (
	"errors"
	"math"
	"net/netip"
	"time"
)

// Parameter is one that modparam sets.
type Parameter struct {
	Name, Help string
	// Default is what holds without it, as the reference shows it.
	Default string
	Type    ParamType
	// Min and Max bound an IntParam; a Max of 0 is no bound. Unit is of the number.
	Min, Max int64
	Unit     string
	// Set takes a value: once for each modparam, in the order of the file. The text of
	// an error follows the name of the parameter. It may be nil where there is a Note.
	Set func(v Literal) error
	// Socket tells that the text names one of the listeners, as a proxy.SocketName does: the
	// configuration is refused where there is none of that name. An empty text names none.
	Socket bool
	// Restart tells that a reload does not change the parameter: what it says is used at
	// the start of the program only.
	Restart bool
	// Note tells why the parameter does nothing here; "" if it does something.
	Note string
}

// spec is the parameter as a global one.
func (p *Parameter) spec() *globalSpec {
	g := &globalSpec{typ: p.Type, min: p.Min, max: p.Max, unit: p.Unit, note: p.Note, restart: p.Restart && p.Note == "", socket: p.Socket}
	if p.Max == 0 {
		g.max = math.MaxInt32
	}
	if p.Note != "" && p.Min == 0 && p.Max == 0 {
		g.min = math.MinInt32
	}
	if p.Set != nil {
		columns := p.Type == StringParam && namesColumn(p.Name)
		g.set = func(_ *settings, v Literal) string {
			if columns {
				if err := CheckColumnName(v.Text); err != nil {
					return err.Error()
				}
			}
			if err := p.Set(v); err != nil {
				return err.Error()
			}
			return ""
		}
	}
	return g
}

// allowed says which values the parameter takes.
func (p *Parameter) allowed() string { return p.spec().allowed() }

// Into makes a Set that stores the value: a number, a switch or a text.
func Into[T int | int64 | uint32 | uint16 | bool | string](to *T) func(Literal) error {
	return func(v Literal) error {
		switch to := any(to).(type) {
		case *int:
			*to = int(v.Int)
		case *int64:
			*to = v.Int
		case *uint32:
			*to = uint32(v.Int)
		case *uint16:
			*to = uint16(v.Int)
		case *bool:
			*to = v.Int != 0
		case *string:
			*to = v.Text
		}
		return nil
	}
}

// NonEmpty makes a Set that stores a text, which must not be empty.
func NonEmpty(to *string) func(Literal) error {
	return func(v Literal) error {
		if v.Text == "" {
			return errors.New("is empty")
		}
		*to = v.Text
		return nil
	}
}

// Networks makes a Set of a comma list of addresses and networks.
func Networks(to *[]netip.Prefix) func(Literal) error {
	return func(v Literal) error {
		nets, bad := networks(v.Text)
		if nets == nil {
			return errors.New("is a comma list of addresses and networks; " + clip(bad) + " is none")
		}
		*to = nets
		return nil
	}
}

// SplitHost divides host[:port]; msg tells what is wrong. A host may be * or in
// brackets.
func SplitHost(s string) (host string, port uint16, msg string) { return splitHost(s) }

// AtStart marks parameters that a reload does not change.
func AtStart(all []Parameter) []Parameter {
	for i := range all {
		all[i].Restart = true
	}
	return all
}

// Hint returns " (did you mean x?)" if one of the names is near to the word, else "".
func Hint(word string, names []string) string { return hint(word, names) }

// Choices returns the end of a message about a word that is none of names: which one it is
// like, and all of them.
func Choices(word string, names []string) string { return choices(word, names) }

// Clip shortens a text for a message that shows it.
func Clip(s string) string { return clip(s) }

// Seconds makes a Set of a time that is given in seconds.
func Seconds(to *time.Duration) func(Literal) error { return in(to, time.Second) }

// Milliseconds makes a Set of a time that is given in milliseconds.
func Milliseconds(to *time.Duration) func(Literal) error { return in(to, time.Millisecond) }

func in(to *time.Duration, unit time.Duration) func(Literal) error {
	return func(v Literal) error { *to = time.Duration(v.Int) * unit; return nil }
}
