package store

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// dialect is how a kind of database differs from the others.
type dialect struct {
	scheme   Scheme
	numbered bool // $1 and not ?
	quote    byte // around names
	replace  bool // has REPLACE
	maxArgs  int  // values of a statement at most
	embedded bool // it is computed by this program, on the cores of its loops
}

var dialects = map[Scheme]*dialect{
	MySQL:    {scheme: MySQL, quote: '`', replace: true, maxArgs: 20_000},
	Postgres: {scheme: Postgres, quote: '"', numbered: true, maxArgs: 20_000},
	// Not the double quote: SQLite takes a name in it that it does not know for a text. Its statements are short, as
	// nobody else gets the core while one is computed.
	SQLite: {scheme: SQLite, quote: '`', replace: true, maxArgs: 400, embedded: true},
}

// argument is a value as the driver takes it.
func (d *dialect) argument(v Value) any {
	if v.kind == KindText && !d.embedded {
		return plain(v.s)
	}
	return v.argument()
}

// turn lets others have the core between two pieces of work of a database that is
// computed here: a loop that wakes up meanwhile would wait until the runtime takes
// the core away, which it does after 10 ms.
func (d *dialect) turn() {
	if d.embedded {
		runtime.Gosched()
	}
}

// quoteName gives a name of a table or column as the database takes it whatever
// words it reserves. Names are of letters, digits, _, - and $, with a dot between
// schema and table.
func (d *dialect) quoteName(name string) (string, error) {
	var b strings.Builder
	for i, p := range strings.Split(name, ".") {
		if p == "" || strings.ContainsFunc(p, notInName) {
			return "", fmt.Errorf("%q is no name of a table or column", short(name))
		}
		if d.scheme == Postgres {
			p = strings.ToLower(p) // as it folds names that are not quoted
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteByte(d.quote)
		b.WriteString(p)
		b.WriteByte(d.quote)
	}
	return b.String(), nil
}

func notInName(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '$' || r >= 0x80)
}

// upsert makes b write rows over those that have the same key.
func (d *dialect) upsert(b *builder, table string, key, columns []string, rows [][]Value) {
	b.inserts("INSERT", table, columns, rows)
	var rest []string
	for _, c := range columns {
		if !slices.Contains(key, c) {
			rest = append(rest, c)
		}
	}
	if d.scheme == MySQL {
		b.SQL(" ON DUPLICATE KEY UPDATE ")
		if len(rest) == 0 {
			rest = key
		}
		for i, c := range rest {
			if i > 0 {
				b.SQL(", ")
			}
			b.name(c).SQL(" = VALUES(")
			b.name(c).SQL(")")
		}
		return
	}
	b.SQL(" ON CONFLICT (")
	b.names(key).SQL(") DO ")
	if len(rest) == 0 {
		b.SQL("NOTHING")
		return
	}
	b.SQL("UPDATE SET ")
	for i, c := range rest {
		if i > 0 {
			b.SQL(", ")
		}
		b.name(c).SQL(" = excluded.")
		b.name(c)
	}
}
