package usrloc

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/location"
	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Module is usrloc of one configuration. Registrar and nathelper find it by its name. After the start any goroutine may
// call its methods.
type Module struct {
	// UseDomain, CaseSensitive and RealmPrefix say how addresses of record are made; registrar sets the last two.
	UseDomain     bool
	CaseSensitive bool
	RealmPrefix   string
	// RefreshWithin is how many seconds before its end a pushed contact is woken; registrar sets it. 0 is never.
	RefreshWithin int64
	// Matching is matching_mode.
	Matching location.Matching

	natFlag     script.Literal
	natBit      int // branch flag of natFlag, -1 none
	newestFirst bool
	interval    time.Duration
	maxContacts int64
	dropFlows   bool
	mode        mode
	url         database.URL
	columns     columns
	preset      script.Literal
	clusterMode script.Literal
	persistency script.Literal
	writeMode   script.Literal

	showKept, refreshes   bool
	minLatency, minChange int64 // microseconds
	cseqDelay             int64 // seconds

	numbers *numberings
	era     uint8 // of this configuration

	watchers []func(table string, c *location.Change)
	indexed  bool

	mu     sync.Mutex
	tables map[string]*table
	all    atomic.Pointer[[]*table] // the same, by name
	places map[string]*Place
	module *script.Module // whose statistics the tables are
	env    *script.Env
	db     *store.DB
	wake   chan struct{}
	finder mi.Search[*finding]
}

// table is a table of contacts with its name. It outlives a reload of the script.
type table struct {
	name string
	*location.Table
	owner  atomic.Pointer[Module] // who is told of changes
	flush  *flush
	unread atomic.Bool // the database was away when it was to be read
	kept   kept
	turns  [256]turn // of modes that store before they answer
}

// turn is had by who reads and writes an address of record, one at a time, by its hash.
type turn struct {
	sync.Mutex
	holder atomic.Pointer[holder] // nil: nobody changes contacts
}

// holder is who has a turn to change contacts.
type holder struct {
	aor     string
	refused atomic.Bool // the database has refused a contact of it
}

// New returns the module for a configuration.
func New(*script.Config) *script.Module {
	m := &Module{interval: 60 * time.Second, cseqDelay: 20, CaseSensitive: true, natBit: -1, columns: defaultColumns(),
		tables: make(map[string]*table), places: make(map[string]*Place), wake: make(chan struct{}, 1)}
	m.module = &script.Module{
		Name: "usrloc", Help: "Keeps which contacts users are reached by.", Instance: m,
		Parameters: m.parameters(), Functions: m.functions(), Commands: m.commands(), Events: events,
		Statistics: []script.Statistic{{Name: "registered_users", Gauge: true,
			Help: "Addresses of record that have contacts, in all tables.", Value: m.users}},
		Check: m.check, Start: m.start, Stop: m.stop, Trial: true,
		Observe: m.observe,
	}
	return m.module
}

// sort makes the list of tables anew. The lock is held.
func (m *Module) sort() {
	list := make([]*table, 0, len(m.tables))
	for _, t := range m.tables {
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	m.all.Store(&list)
}

// list returns the tables in the order of their names.
func (m *Module) list() []*table {
	if list := m.all.Load(); list != nil {
		return *list
	}
	return nil
}

func (m *Module) users() (n uint64) {
	for _, t := range m.list() {
		n += uint64(t.Stats().Records)
	}
	return n
}

// AppendAOR appends the address of record of a user at a host. With use_domain off the host is left out; without a user
// it is the host alone. A user that has an @ keeps it escaped: the rows of bob%40example.com are none of bob's.
func (m *Module) AppendAOR(dst, user, host []byte) []byte {
	from := len(dst)
	for _, c := range user {
		if c == '@' {
			dst = append(dst, "%40"...)
		} else {
			dst = append(dst, c)
		}
	}
	if m.UseDomain || len(user) == 0 {
		if len(user) > 0 {
			dst = append(dst, '@')
		}
		at := len(dst)
		dst = append(dst, host...)
		lower(dst[at:])
		if p := m.RealmPrefix; p != "" && strings.HasPrefix(string(dst[at:]), p) {
			dst = append(dst[:at], dst[at+len(p):]...)
		}
	}
	if !m.CaseSensitive {
		lower(dst[from:])
	}
	return dst
}

func lower(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

// start reads the rows of the database, or goes on with the tables of the instance that this one replaces, and begins
// what is to be done in time.
func (m *Module) start(e *script.Env) error {
	m.env = e
	old, goesOn := e.Previous.(*Module)
	if goesOn {
		if err := m.fits(old); err != nil {
			return err
		}
	}
	if m.mode == memoryOnly {
		m.tellUnfilled()
	} else {
		db, err := m.url.Open(e)
		if err != nil {
			return script.ErrorAt(m.url.At(), err)
		}
		m.db = db
		if err := m.checkTables(); err != nil {
			_ = db.Close() // the other error tells more
			return err
		}
	}
	if e.Trial {
		return nil
	}
	if goesOn {
		m.takeOver(old)
	}
	if err := m.number(old); err != nil {
		return err
	}
	for _, t := range m.list() {
		if m.indexed || m.mode == sqlOnly { // IDs are to be no other server's
			t.IndexIDs()
		}
		if m.db == nil || m.mode == sqlOnly || t.owner.Load() != m {
			continue
		}
		m.first(t)
	}
	m.begin()
	return nil
}

// fits tells why this instance cannot go on with the tables of another.
func (m *Module) fits(old *Module) error {
	switch {
	case m.mode != old.mode || m.url.Text() != old.url.Text() || m.columns != old.columns:
		return fmt.Errorf("how contacts are stored changes at a restart only")
	case m.newestFirst != old.newestFirst || m.maxContacts != old.maxContacts || m.UseDomain != old.UseDomain:
		return fmt.Errorf("use_domain, desc_time_order and max_contacts_total change at a restart only")
	}
	return nil
}

// takeOver takes the tables of another instance, those that this configuration does not name as well: their contacts end
// and are stored, too.
func (m *Module) takeOver(old *Module) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range old.list() {
		m.tables[t.name] = t
		if p := m.places[t.name]; p != nil {
			p.at.Store(t)
		}
	}
	m.sort()
}

// own has the tables tell this instance of changes: once all modules of its configuration have started.
func (m *Module) own() {
	for _, t := range m.list() {
		t.owner.Store(m)
	}
}

// stop lets go of the database. Who goes on has the tables; at the end of the program they are written.
func (m *Module) stop(next any) {
	if n, ok := next.(*Module); ok && n.env != nil {
		n.own()
	} else if m.db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), flushAtEnd)
		defer cancel()
		if err := m.write(ctx); err != nil {
			m.keep(err)
		}
	}
	if m.db != nil {
		_ = m.db.Close()
	}
}

// observe marks or drops the contacts of a connection that has ended.
func (m *Module) observe(e *reactor.Event) {
	if e.Kind != reactor.ConnClosed {
		return
	}
	for _, t := range m.list() {
		t.FlowEnded(e.Src.Conn, m.dropFlows)
	}
}

// flushAtEnd is how long the last write may take.
const flushAtEnd = 5 * time.Second

func (m *Module) begin() {
	part := 0
	m.env.Every(time.Second, func(context.Context) {
		now := time.Now().Unix()
		m.remind(part, now)
		part = (part + 1) % refreshParts
		for _, t := range m.list() {
			t.Expire(now)
		}
	})
	if m.db != nil {
		m.env.Go(m.writeBack)
		if m.mode != sqlOnly {
			m.env.Every(time.Second, m.readLater)
		}
	}
	if m.mode == sqlOnly {
		m.env.Every(m.interval, m.clean)
	}
}
