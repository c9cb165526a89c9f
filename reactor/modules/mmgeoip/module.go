package mmgeoip

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"

	"sipreactor/reactor/script"
	"sipreactor/tlsstate/regular"
)

// module is the module in one configuration.
type module struct {
	path  script.Literal
	cache string
	places
}

// places is a database in memory, with what its file was then.
type places struct {
	reader *maxminddb.Reader
	file   string
	size   int64
	at     time.Time
}

// maxFile bounds the database, in bytes.
const maxFile = 1 << 30

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := new(module)
	return &script.Module{
		Name: "mmgeoip", Help: "Tells where an address is, by a database of MaxMind.", Instance: m,
		Parameters: []script.Parameter{
			{Name: "mmgeoip_city_db_path", Type: script.StringParam, Help: "The database, a file of the format .mmdb such as GeoLite2-City.mmdb.", Set: func(v script.Literal) error {
				m.path = v
				return nil
			}},
			{Name: "cache_type", Type: script.StringParam, Help: "How the database is kept.", Set: script.Into(&m.cache), Note: "a database is in memory, and read again at a reload when its file is another"},
		},
		Functions: []script.Function{{
			Name: "mmg_lookup", Usage: `mmg_lookup(["fields",] "address", $avp(place))`,
			Help: "Puts what the database says of an address into an AVP, the last field first, each one that it does not know as an empty text: lat lon cont cc reg city pc dma tz or a path such as country.names.en, with colons between them, lon:lat where none are given. -1: it does not know the address.",
			Args: []script.ArgKind{script.TextArg, script.TextArg, script.AVPArg}, Routes: script.Anywhere, Build: m.lookup,
		}},
		Check: func(l *script.Loading) {
			if m.path.Text == "" {
				l.Errorf(l.Place(""), `the database is missing: modparam("mmgeoip", "mmgeoip_city_db_path", "/path/GeoLite2-City.mmdb")`)
			}
		},
		Start: m.start, Trial: true,
	}
}

// start reads the database, unless the one before has it.
func (m *module) start(e *script.Env) error {
	name := m.path.Text
	if !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(m.path.At.File()), name)
	}
	p, err := read(name, e.Previous)
	if err != nil {
		return script.ErrorAt(m.path.At, fmt.Errorf("mmgeoip_city_db_path: %w", err))
	}
	m.places = p
	return nil
}

func read(name string, previous any) (p places, err error) {
	f, err := regular.Open(name)
	if err != nil {
		return p, err
	}
	defer f.Close()
	is, err := f.Stat()
	if err != nil {
		return p, err
	}
	if before, ok := previous.(*module); ok && before.file == name && before.size == is.Size() && before.at.Equal(is.ModTime()) {
		return before.places, nil
	}
	if is.Size() > maxFile {
		return p, fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	b := make([]byte, is.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return p, &os.PathError{Op: "read", Path: name, Err: err}
	}
	r, err := maxminddb.OpenBytes(b)
	if err != nil {
		return p, fmt.Errorf("%s is no database of the format .mmdb (one of GeoIP's older format, .dat, has to be replaced): %w", name, err)
	}
	return places{r, name, is.Size(), is.ModTime()}, nil
}

func (m *module) lookup(a *script.Args) script.Action {
	names, of, into, at := a.Text(0), a.Text(1), a.AVP(2), a.Site()
	if !a.Given(1) || into == nil {
		a.Errorf(-1, "the address and the AVP must be given")
		return nil
	}
	fixed, constant := a.Fixed(0)
	if !a.Given(0) {
		fixed, constant = "lon:lat", true
	}
	var paths [][]any
	if constant {
		var err error
		if paths, err = parseFields(fixed); err != nil {
			a.Errorf(0, "%v", err)
			return nil
		}
	}
	return func(x *script.Machine) int {
		paths := paths
		if !constant {
			b, _ := names(x)
			var err error
			if paths, err = parseFields(string(b)); err != nil {
				return x.Fail(at, err.Error())
			}
		}
		b, _ := of(x)
		ip, err := netip.ParseAddr(string(b))
		if err != nil {
			return x.Fail(at, "it is no address: "+script.Clip(string(b)))
		}
		found := m.reader.Lookup(ip.Unmap().WithZone(""))
		if found.Err() != nil || !found.Found() {
			return -1
		}
		for _, path := range paths {
			var v any
			if found.DecodePath(&v, path...) != nil { // another kind of value is on the way there
				v = nil
			}
			if !into.Add(x, script.Text(x.KeepString(text(v)))) {
				return x.Fail(at, "the AVP has no room")
			}
		}
		return 1
	}
}
