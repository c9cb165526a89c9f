package anchor

import (
	"encoding/json"
	"slices"
	"sync"
)

// Side is a party of a call.
type Side uint8

// The sides.
const (
	Caller Side = iota
	Callee
)

// Other is the other party.
func (s Side) Other() Side { return 1 - s }

// Flags are what a script says of the media of a party, or of the call, by names.
type Flags map[string]string

// Names of flags of a party, and of a call.
var (
	PartyFlags = []string{"flags", "peer", "ip", "type", "iface", "body", "delete", "disabled"}
	CallFlags  = []string{"callid", "from_tag", "to_tag", "flags", "delete"}
)

// maxFlag bounds the length of one, since they are kept with the dialog.
const maxFlag = 4096

// branch is a branch of the INVITE. What it does not say of the parties, the session says.
type branch struct {
	Number  int      `json:"branch"`
	Sides   [2]Flags `json:"sides"`
	Engaged bool     `json:"engaged,omitempty"`
	Tag     string   `json:"tag,omitempty"`

	used    bool    // something was asked of a relay
	offered bool    // the INVITE had an SDP
	owed    [2]bool // the answer to an offer that the side has made in a response
}

// Session is what is known of a call's media. Any goroutine may call its methods.
type Session struct {
	mu sync.Mutex
	kept
}

// kept is what is stored of it.
type kept struct {
	Engine   string   `json:"engine"` // "": not engaged
	Set      int      `json:"set"`
	Node     string   `json:"node,omitempty"`
	Context  Flags    `json:"ctx,omitempty"`
	Sides    [2]Flags `json:"sides"`
	All      bool     `json:"all,omitempty"` // branches
	Branches []branch `json:"branches,omitempty"`
	Won      int      `json:"won"` // the branch that was answered; -1 none
}

func newSession() *Session { return &Session{kept: kept{Won: -1}} }

// parse reads what text has made.
func parse(text string) *Session {
	s := newSession()
	if json.Unmarshal([]byte(text), &s.kept) != nil || s.Engine == "" {
		return nil
	}
	return s
}

func (s *Session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := json.Marshal(&s.kept)
	if err != nil {
		return ""
	}
	return string(b)
}

// of returns a branch, which it makes if there is none. The session is locked.
func (s *Session) of(number int) *branch {
	i := slices.IndexFunc(s.Branches, func(b branch) bool { return b.Number == number })
	if i < 0 {
		i = len(s.Branches)
		s.Branches = append(s.Branches, branch{Number: number})
	}
	return &s.Branches[i]
}

// byTag returns the number of the branch of a callee; the one that was answered if there is none.
func (s *Session) byTag(tag string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.Branches {
		if tag != "" && s.Branches[i].Tag == tag {
			return s.Branches[i].Number
		}
	}
	return max(s.Won, 0)
}

// flag returns what is said of a side in a branch. The session is locked.
func (s *Session) flag(number int, side Side, name string) string {
	for i := range s.Branches {
		if s.Branches[i].Number == number {
			if v, ok := s.Branches[i].Sides[side][name]; ok {
				return v
			}
		}
	}
	return s.Sides[side][name]
}

// Flag returns what is said of a side in a branch, -1 for all of them; "" is nothing.
func (s *Session) Flag(number int, side Side, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flag(number, side, name)
}

// SetFlag says something of a side in a branch, -1 for all of them. It reports whether it is short enough.
func (s *Session) SetFlag(number int, side Side, name, value string) bool {
	if len(value) > maxFlag {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to := &s.Sides[side]
	if number >= 0 {
		to = &s.of(number).Sides[side]
	}
	set(to, name, value)
	return true
}

// CallFlag returns what is said of the call.
func (s *Session) CallFlag(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Context[name]
}

// SetCallFlag says something of the call. It reports whether it is short enough.
func (s *Session) SetCallFlag(name, value string) bool {
	if len(value) > maxFlag {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.Context, name, value)
	return true
}

func set(f *Flags, name, value string) {
	if *f == nil {
		*f = make(Flags)
	}
	(*f)[name] = value
}

// Engaged tells which engine, set and node the call has; "" without one.
func (s *Session) Engaged() (engine string, set int, node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Engine, s.Set, s.Node
}

// Party returns what is said of a side, in the branch that was answered.
func (s *Session) Party(side Side) Flags {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := make(Flags)
	for _, name := range PartyFlags {
		if v := s.flag(s.Won, side, name); v != "" {
			f[name] = v
		}
	}
	return f
}
