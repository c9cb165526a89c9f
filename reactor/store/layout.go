package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Layout is what a table of OpenSIPS 3.6 is made of.
type Layout struct {
	Table   string
	Version int
	Columns []Column
	Indexes []Index
}

// Column is a column of a Layout.
type Column struct {
	Name    string
	Type    ColumnType
	Size    int // of a String
	Null    bool
	Default string // "" is none, or NULL; texts without quotes
	Has     bool   // whether there is a Default
}

// ColumnType is what a column holds.
type ColumnType uint8

// The types of columns.
const (
	AutoColumn    ColumnType = iota + 1 // number of the row, primary key
	BigAutoColumn                       // the same with 64 bits
	KeyColumn                           // text that is the primary key
	BigKeyColumn                        // number with 64 bits that is the primary key
	IntColumn
	UintColumn
	FloatColumn
	StringColumn
	TextColumn // long
	BlobColumn
	DatetimeColumn
)

// Index is an index of a Layout.
type Index struct {
	Name    string
	Unique  bool
	Columns []string
}

// LayoutOf returns the layout of a standard table.
func LayoutOf(table string) (Layout, bool) {
	for _, l := range Layouts() {
		if l.Table == table {
			return l, true
		}
	}
	return Layout{}, false
}

// names returns the names of the columns.
func (l *Layout) names() []string {
	names := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		names[i] = c.Name
	}
	return names
}

// Layouts returns the standard tables in the order in which they are made.
func Layouts() []Layout {
	list, err := parseLayouts(layouts)
	if err != nil {
		panic(err) // the text is a constant of ours, and a test reads it
	}
	return list
}

var columnTypes = map[string]ColumnType{
	"auto": AutoColumn, "bigauto": BigAutoColumn, "key": KeyColumn, "bigkey": BigKeyColumn, "int": IntColumn, "uint": UintColumn,
	"float": FloatColumn, "string": StringColumn, "text": TextColumn, "blob": BlobColumn, "datetime": DatetimeColumn,
}

// parseLayouts reads the form of the constant layouts, which is told there.
func parseLayouts(text string) ([]Layout, error) {
	var list []Layout
	for n, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "table" && len(f) == 3 {
			version, err := strconv.Atoi(f[2])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
			list = append(list, Layout{Table: f[1], Version: version})
			continue
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("line %d: no table", n+1)
		}
		l := &list[len(list)-1]
		var err error
		if f[0] == "index" || f[0] == "unique" {
			err = l.addIndex(f)
		} else {
			err = l.addColumn(f)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return list, nil
}

func (l *Layout) addIndex(f []string) error {
	if len(f) < 3 {
		return fmt.Errorf("an index has a name and columns")
	}
	for _, c := range f[2:] {
		if !slices.Contains(l.names(), c) {
			return fmt.Errorf("there is no column %s", c)
		}
	}
	l.Indexes = append(l.Indexes, Index{Name: f[1], Unique: f[0] == "unique", Columns: f[2:]})
	return nil
}

func (l *Layout) addColumn(f []string) error {
	if len(f) < 2 {
		return fmt.Errorf("a column has a name and a type")
	}
	name, size, _ := strings.Cut(strings.TrimSuffix(f[1], ")"), "(")
	c := Column{Name: f[0], Type: columnTypes[name]}
	if c.Type == 0 {
		return fmt.Errorf("%s is no type", f[1])
	}
	if size != "" {
		var err error
		if c.Size, err = strconv.Atoi(size); err != nil {
			return err
		}
	}
	for i, w := range f[2:] {
		switch w {
		case "null":
			c.Null = true
		case "=":
			c.Has, c.Default = true, strings.Join(f[2+i+1:], " ")
			if c.Default == "''" {
				c.Default = ""
			}
			l.Columns = append(l.Columns, c)
			return nil
		default:
			return fmt.Errorf("%q is neither null nor a default", w)
		}
	}
	l.Columns = append(l.Columns, c)
	return nil
}
