package script

import (
	"strings"
	"testing"
)

func TestColumnNames(t *testing.T) {
	for _, good := range []string{"", "subscriber", "sip.subscriber", "ha1_sha256", "My-Table$1", "größe"} {
		if err := CheckColumnName(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"a b", "users; DROP TABLE x", "a'", "`a`", `"a"`, "a\n"} {
		if CheckColumnName(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	set := ""
	for name, refused := range map[string]bool{"hash_column": true, "subs_table": true, "table": true, "id_col": true, "cache_table": false, "table_size_text": false} {
		p := Parameter{Name: name, Type: StringParam, Set: Into(&set)}
		if why := p.spec().set(nil, Literal{Text: "a b"}); strings.Contains(why, "no name of a table") != refused {
			t.Errorf("%s: %q", name, why)
		}
	}
}
