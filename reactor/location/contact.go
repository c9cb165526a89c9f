package location

import "sipreactor/reactor"

// NoQ is the Q of a contact that has none: it comes behind those that have one.
const NoQ int16 = -1

// AllMethods is the Methods of a contact that named none: it takes any.
const AllMethods uint32 = 1<<32 - 1

// State says how a contact stands to what is stored elsewhere.
type State uint8

// The states.
const (
	StateNew   State = iota // stored nowhere else
	StateSync               // stored as it is
	StateDirty              // stored, but it has changed since
)

// String returns the name that management shows.
func (s State) String() string { return [...]string{"CS_NEW", "CS_SYNC", "CS_DIRTY"}[s] }

// text names one of a contact's strings.
type text uint8

const (
	textURI text = iota
	textCallID
	textReceived
	textPath
	textAgent
	textInstance
	textSocket
	textAttr
	textKept
	texts
)

// Texts are the strings of a contact, as a caller gives them: views that are copied.
type Texts struct {
	URI      []byte // of the Contact header, without brackets
	CallID   []byte // of the REGISTER
	Received []byte // URI of where it came from; empty: reached by URI
	Path     []byte // values of Path (RFC 3327), as in the header
	Agent    []byte // User-Agent
	Instance []byte // +sip.instance, with its brackets
	Socket   []byte // proto:address:port of the listener that it came by
	Attr     []byte // what the script keeps with it
	Kept     []byte // what a module keeps with it
}

// All are the fields, to be read or set one after the other.
func (t *Texts) All() [texts]*[]byte {
	return [texts]*[]byte{&t.URI, &t.CallID, &t.Received, &t.Path, &t.Agent, &t.Instance, &t.Socket, &t.Attr, &t.Kept}
}

func (t *Texts) list() [texts][]byte {
	return [texts][]byte{t.URI, t.CallID, t.Received, t.Path, t.Agent, t.Instance, t.Socket, t.Attr, t.Kept}
}

// maxTexts bounds the bytes of all strings of a contact.
const maxTexts = 1<<16 - 1

// Contact is one binding of an address of record.
type Contact struct {
	// ID is the contact's own, for ever; restored ones keep theirs.
	ID uint64
	// Expires is the unix second from which on it counts no more; 0 never.
	Expires int64
	// Modified is the unix second of the last change.
	Modified int64
	// Flow is the connection it came by; 0: none, or over datagrams.
	Flow reactor.Handle
	CSeq uint32
	// Flags are internal ones, BranchFlags those that a lookup gives its branch.
	Flags, BranchFlags uint32
	// Methods is the set it takes, by the registrar's numbers.
	Methods uint32
	// RegID is reg-id (RFC 5626), 0 none.
	RegID uint32
	// Latency is that of the last ping that was answered, in microseconds; 0: there was none.
	Latency uint32
	// Q is in thousandths, 0 to 1000, or NoQ.
	Q int16
	// Bound tells that it is reached by Flow and by nothing else.
	Bound bool
	// FlowLost tells that Flow has ended since.
	FlowLost bool
	// Era says by which numbering BranchFlags are; what that is, who keeps the table knows.
	Era uint8

	lost  uint16 // pings, one behind the other, that it has not answered
	state State
	gone  bool
	// restored tells that it came from where it was stored, and that its phone has not registered since.
	restored bool

	ends [texts]uint16
	text string
	of   *record
}

// node is a contact in its table, with its links.
type node struct {
	Contact
	queued         bool  // in its shard's list of what has changed
	next           *node // of the same address, in its order
	before, behind *node // in a slot of the expiry wheel

	flowBefore, flowBehind *node // guarded by the flow's lock
}

func (c *Contact) part(t text) string {
	var from uint16
	if t > 0 {
		from = c.ends[t-1]
	}
	return c.text[from:c.ends[t]]
}

// AOR returns the address of record.
func (c *Contact) AOR() string { return c.of.aor }

// URI returns the contact's URI.
func (c *Contact) URI() string { return c.part(textURI) }

// CallID returns the Call-ID of the REGISTER that it is of.
func (c *Contact) CallID() string { return c.part(textCallID) }

// Received returns the URI of where the REGISTER came from, if that is how the contact is reached.
func (c *Contact) Received() string { return c.part(textReceived) }

// Path returns the Path that requests take to it.
func (c *Contact) Path() string { return c.part(textPath) }

// Agent returns its User-Agent.
func (c *Contact) Agent() string { return c.part(textAgent) }

// Instance returns +sip.instance with its brackets.
func (c *Contact) Instance() string { return c.part(textInstance) }

// Socket returns the listener that the REGISTER came by.
func (c *Contact) Socket() string { return c.part(textSocket) }

// Attr returns what the script keeps with it.
func (c *Contact) Attr() string { return c.part(textAttr) }

// Kept returns what a module keeps with it.
func (c *Contact) Kept() string { return c.part(textKept) }

// State returns how it stands to what is stored.
func (c *Contact) State() State { return c.state }

// Alive reports whether it counts at a time.
func (c *Contact) Alive(now int64) bool { return !c.gone && (c.Expires == 0 || c.Expires > now) }

// Unreachable reports whether the connection that it is reached by, and by nothing else, has ended.
func (c *Contact) Unreachable() bool { return c.Bound && c.FlowLost }

// same reports whether the texts are those the contact has.
func (c *Contact) same(list *[texts][]byte) bool {
	for i, b := range list {
		if c.part(text(i)) != string(b) {
			return false
		}
	}
	return true
}

// setTexts makes the contact's one text of its parts. It reports whether they fit.
func (c *Contact) setTexts(list *[texts][]byte) bool {
	total := 0
	for _, b := range list {
		total += len(b)
	}
	if total > maxTexts {
		return false
	}
	if c.same(list) {
		return true
	}
	buf := make([]byte, 0, total)
	for i, b := range list {
		buf = append(buf, b...)
		c.ends[i] = uint16(len(buf))
	}
	c.text = string(buf)
	return true
}

// record is an address of record that has contacts.
type record struct {
	aor   string
	first *node
	count int
}
