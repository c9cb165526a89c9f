package mmgeoip

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/proto_tls"
	"sipreactor/reactor/script"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// value writes a value of the format .mmdb.
func value(b []byte, v any) []byte {
	control := func(kind, size int) {
		if kind > 7 {
			b = append(b, byte(size), byte(kind-7))
		} else {
			b = append(b, byte(kind<<5|size))
		}
	}
	switch v := v.(type) {
	case string:
		control(2, len(v))
		return append(b, v...)
	case float64:
		control(3, 8)
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case uint16:
		control(5, 2)
		return binary.BigEndian.AppendUint16(b, v)
	case uint32:
		control(6, 4)
		return binary.BigEndian.AppendUint32(b, v)
	case []any:
		control(11, len(v))
		for _, one := range v {
			b = value(b, one)
		}
	case map[string]any:
		control(7, len(v))
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			b = value(value(b, name), v[name])
		}
	}
	return b
}

// database writes a file that knows one network of IPv4.
func database(t *testing.T, name string, network netip.Prefix, of map[string]any) {
	t.Helper()
	ip := binary.BigEndian.Uint32(network.Addr().AsSlice())
	n := network.Bits()
	var tree []byte
	for i := range n {
		records := [2]int{n, n} // unknown
		bit := ip >> (31 - i) & 1
		if records[bit] = i + 1; i == n-1 {
			records[bit] = n + 16 // the first of the data
		}
		for _, r := range records {
			tree = append(tree, byte(r>>16), byte(r>>8), byte(r))
		}
	}
	file := slices.Concat(tree, make([]byte, 16), value(nil, of), []byte("\xAB\xCD\xEFMaxMind.com"), value(nil, map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint32(1), "database_type": "City",
		"ip_version": uint16(4), "node_count": uint32(n), "record_size": uint16(24), "languages": []any{"en"}, "description": map[string]any{"en": "test"},
	}))
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
}

var london = map[string]any{
	"city": map[string]any{"names": map[string]any{"en": "London"}}, "continent": map[string]any{"code": "EU"}, "country": map[string]any{"iso_code": "GB", "names": map[string]any{"en": "United Kingdom"}},
	"location":     map[string]any{"latitude": 51.5142, "longitude": -0.0931, "metro_code": uint16(7), "time_zone": "Europe/London"},
	"subdivisions": []any{map[string]any{"iso_code": "ENG"}},
}

func head(file string) string {
	return moduletest.Head("mmgeoip") + fmt.Sprintf("modparam(\"mmgeoip\", \"mmgeoip_city_db_path\", %q)\n", file)
}

func TestLookup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "city.mmdb")
	database(t, file, netip.MustParsePrefix("81.2.69.0/24"), london)
	const log = ` xlog("$rc $(avp(x)[0])|$(avp(x)[1])|$(avp(x)[2])");`
	for call, want := range map[string]string{
		`mmg_lookup("lon:lat", "81.2.69.160", $avp(x));`:                                     "1 51.5142|-0.0931|<null>",
		`mmg_lookup(, "81.2.69.160", $avp(x));`:                                              "1 51.5142|-0.0931|<null>",
		`mmg_lookup("cc cont|reg", "81.2.69.1", "$avp(x)");`:                                 "1 ENG|EU|GB",
		`mmg_lookup("city,tz/dma", "::ffff:81.2.69.1", $avp(x));`:                            "1 7|Europe/London|London",
		`mmg_lookup("country.names.en:pc:subdivisions.0.iso_code,", "81.2.69.1", $avp(x));`:  "1 ENG||United Kingdom",
		`mmg_lookup("subdivisions.9.iso_code:city.names:location.0", "81.2.69.1", $avp(x));`: "1 ||",
		`$var(f) = "cc"; mmg_lookup($var(f), "81.2.69.1", $avp(x));`:                         "1 GB|<null>|<null>",
		`$var(f) = "c"; mmg_lookup($var(f), "81.2.69.1", $avp(x));`:                          "-1 <null>|<null>|<null>",
		`mmg_lookup("cc", "81.2.70.1", $avp(x));`:                                            "-1 <null>|<null>|<null>",
		`mmg_lookup("cc", "2001:db8::1", $avp(x));`:                                          "-1 <null>|<null>|<null>",
		`mmg_lookup("cc", "example.org", $avp(x));`:                                          "-1 <null>|<null>|<null>",
	} {
		logged := moduletest.Logs(t, head(file), call+log, New)
		if got := logged[len(logged)-1]; got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
	for call, want := range map[string]string{
		`mmg_lookup("ac", "$si", $avp(x));`:   "area code",
		`mmg_lookup("cc:x", "$si", $avp(x));`: "no field",
		`mmg_lookup("a..b", "$si", $avp(x));`: "no path",
		`mmg_lookup(":", "$si", $avp(x));`:    "0 fields",
		`mmg_lookup("cc", "$si");`:            "must be given",
	} {
		if got := moduletest.Wrong(t, head(file)+"route { "+call+" }\n", New); !strings.Contains(got, want) {
			t.Errorf("%s: %s", call, got)
		}
	}
	if got := moduletest.Wrong(t, moduletest.Head("mmgeoip")+"route { exit; }\n", New); !strings.Contains(got, "database is missing") {
		t.Error(got)
	}
}

// TestFile: a file that is wrong is told with its parameter's place, and one that is another is read again.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "city.mmdb")
	l := script.Loader{Modules: []script.Constructor{proto_tls.New, New}}
	cfg, err := l.Compile("x.cfg", []byte(head(file)+"route { exit; }\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"", "no database"} {
		if wrong != "" {
			if err := os.WriteFile(file, []byte(wrong), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := cfg.Start(script.Surroundings{Sockets: moduletest.Sockets}, nil); err == nil || !strings.Contains(err.Error(), "x.cfg:7:") || !strings.Contains(err.Error(), file) {
			t.Error(err)
		}
	}
	database(t, file, netip.MustParsePrefix("81.2.69.0/24"), london)
	first, err := read(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := read(file, &module{places: first}); err != nil || same != first {
		t.Error("a file that is the same is read again:", err)
	}
	database(t, file, netip.MustParsePrefix("81.2.68.0/23"), london)
	if other, err := read(file, &module{places: first}); err != nil || other.reader == first.reader || !other.reader.Lookup(netip.MustParseAddr("81.2.68.1")).Found() {
		t.Error("another file is not read:", err)
	}
}
