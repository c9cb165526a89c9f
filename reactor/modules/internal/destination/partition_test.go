package destination

import (
	"reflect"
	"testing"
)

func TestParseDefinition(t *testing.T) {
	for text, want := range map[string]Definition{
		"part2 : db_url=mysql://user:pw@host/db; table_name = ds_table; ds_define_blacklist= list2= 4,6;": {Name: "part2", Settings: []Setting{
			{"db_url", "mysql://user:pw@host/db"}, {"table_name", "ds_table"}, {"ds_define_blacklist", "list2= 4,6"}}},
		"\n voicemail:\n  attrs_avp = $avp(ds_attr_vm)\n": {Name: "voicemail", Settings: []Setting{{"attrs_avp", "$avp(ds_attr_vm)"}}},
		"default: trunks": {Name: "default", Alias: "trunks"},
		"empty:":          {Name: "empty"},
	} {
		if got, err := ParseDefinition(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "x", ": a = b", "a=b: c", "x: a = b; c", "x: y; a = b"} {
		if got, err := ParseDefinition(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}
