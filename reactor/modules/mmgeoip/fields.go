package mmgeoip

import (
	"fmt"
	"strconv"
	"strings"
)

// short are the names that fields had in MaxMind's older databases, as paths of today's.
var short = map[string]string{
	"lat": "location.latitude", "lon": "location.longitude", "cont": "continent.code", "cc": "country.iso_code",
	"reg": "subdivisions.0.iso_code", "city": "city.names.en", "pc": "postal.code", "dma": "location.metro_code", "tz": "location.time_zone",
}

// maxFields bounds the fields of a lookup.
const maxFields = 32

// parseFields reads a list of fields as paths: keys, and indexes of arrays.
func parseFields(text string) (paths [][]any, err error) {
	for name := range strings.FieldsFuncSeq(text, func(c rune) bool { return strings.ContainsRune(":|,/ ", c) }) {
		if name == "ac" {
			return nil, fmt.Errorf("ac, the area code, is not in databases of GeoIP2")
		}
		if known := short[name]; known != "" {
			name = known
		}
		var path []any
		for key := range strings.SplitSeq(name, ".") {
			if n, bad := strconv.ParseUint(key, 10, 16); bad == nil {
				path = append(path, int(n))
			} else if key != "" {
				path = append(path, key)
			} else {
				return nil, fmt.Errorf("%q is no path of keys with dots between them", name)
			}
		}
		if len(path) == 1 {
			return nil, fmt.Errorf("%q is no field: they are lat lon cont cc reg city pc dma tz, or a path such as country.names.en", name)
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 || len(paths) > maxFields {
		return nil, fmt.Errorf("there are %d fields, not 1 to %d", len(paths), maxFields)
	}
	return paths, nil
}

// text writes a value of the database; one that is several is none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case nil, map[string]any, []any:
		return ""
	default:
		return fmt.Sprint(v)
	}
}
