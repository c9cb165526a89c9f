package script

import (
	"fmt"
	"strings"
)

// namesColumn reports whether a parameter is the name of a table or of a column, as its own name says in every module.
func namesColumn(parameter string) bool {
	for _, end := range []string{"_column", "_col", "_table", "table_name"} {
		if strings.HasSuffix(parameter, end) && parameter != "cache_table" { // that of sql_cacher is a description
			return true
		}
	}
	return parameter == "table"
}

// CheckColumnName tells what is wrong with the name of a table or a column. An empty one may mean that there is none.
func CheckColumnName(name string) error {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-$.", r) || r >= 0x80) {
			return fmt.Errorf("%q is no name of a table or a column: letters, digits, _, -, $ and a dot behind the schema are allowed", name)
		}
	}
	return nil
}
