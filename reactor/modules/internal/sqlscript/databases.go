package sqlscript

import (
	"errors"
	"strconv"
	"strings"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
)

// Databases are the db_urls of a module by their numbers. The zero value has none.
type Databases struct {
	list []*numbered
}

// numbered is a database with the number that the script has for it.
type numbered struct {
	id  int64
	url database.URL
	db  *store.DB

	wanted []Wanted
	makes  bool // the script makes tables in it, perhaps
}

// Parameter returns db_url: "[number ]url".
func (d *Databases) Parameter() script.Parameter {
	return script.Parameter{
		Name: "db_url", Type: script.StringParam, Default: "that of db_default_url",
		Help: "A database, with the number that functions have for it before it: \"1 mysql://user:password@host/database\". Without one it is 0.",
		Set:  d.set,
	}
}

func (d *Databases) set(v script.Literal) error {
	id := int64(0)
	if number, rest, ok := strings.Cut(strings.TrimSpace(v.Text), " "); ok {
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return errors.New("is \"url\" or \"number url\"")
		}
		id, v.Text = int64(n), strings.TrimSpace(rest)
	}
	n := &numbered{id: id}
	if err := n.url.Set(v); err != nil {
		return err
	}
	if old := d.find(id); old != nil {
		*old = *n
		return nil
	}
	d.list = append(d.list, n)
	return nil
}

func (d *Databases) find(id int64) *numbered {
	for _, n := range d.list {
		if n.id == id {
			return n
		}
	}
	return nil
}

// Check makes sure of every database; without a db_url that of db_default_url is 0.
func (d *Databases) Check(l *script.Loading) {
	if len(d.list) == 0 && l.Config.Databases.DefaultURL.Text != "" {
		d.list = append(d.list, &numbered{})
	}
	for _, n := range d.list {
		n.url.Check(l)
	}
}

// Start opens the pools, and tells what is wrong with the tables that calls name.
func (d *Databases) Start(e *script.Env) error {
	for _, n := range d.list {
		var err error
		if n.db, err = n.url.Open(e); err != nil {
			d.Stop()
			return err
		}
	}
	var wrong []error
	for _, n := range d.list {
		wrong = append(wrong, n.check(e.Log))
	}
	if err := errors.Join(wrong...); err != nil {
		d.Stop()
		return err
	}
	return nil
}

// Stop closes them.
func (d *Databases) Stop() {
	for _, n := range d.list {
		if n.db != nil {
			_ = n.db.Close() // what it says of its connections helps nobody now
		}
	}
}

// argument compiles the number of a database; nil after an error. What it gives is
// nil where there is no such database, which is logged.
func (d *Databases) argument(a *script.Args, i int) func(m *script.Machine) *numbered {
	if len(d.list) == 0 {
		a.Errorf(-1, "%s() needs a database: db_url of the module is not set, and there is no db_default_url", a.Name())
		return nil
	}
	at := a.Site()
	text, fixed := a.Fixed(i)
	if !a.Given(i) || fixed {
		id := int64(0)
		if strings.TrimSpace(text) != "" {
			n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil {
				a.Errorf(i, "found %q, expected the number of a db_url", text)
				return nil
			}
			id = n
		}
		n := d.find(id)
		if n == nil {
			a.Errorf(max(i, -1), "there is no db_url with the number %d", id)
			return nil
		}
		return func(*script.Machine) *numbered { return n }
	}
	get := a.Text(i)
	return func(m *script.Machine) *numbered {
		b, _ := get(m)
		id, err := strconv.ParseInt(string(b), 10, 64)
		n := d.find(id)
		if err != nil || n == nil {
			m.Say(at, script.LevelError, "there is no db_url of that number", "number", string(b))
			return nil
		}
		return n
	}
}

// kinds are those of the databases that an argument may name.
func (d *Databases) kinds(a *script.Args, i int) (list []store.Scheme) {
	for _, n := range d.named(a, i) {
		list = append(list, n.url.Kind())
	}
	return list
}

// named are the databases that an argument may name.
func (d *Databases) named(a *script.Args, i int) []*numbered {
	if text, fixed := a.Fixed(i); a.Given(i) && !fixed {
		return d.list
	} else if n := d.find(number(text)); n != nil {
		return []*numbered{n}
	}
	return nil
}

// number reads that of a database; 0 is the one without.
func number(text string) int64 {
	id, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return id
}
