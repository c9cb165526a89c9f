package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// textColumn is a column of a db_text table.
type textColumn struct {
	name string
	kind Kind
	auto bool // numbered by us where a new row does not say
	null bool // an empty field is NULL; of a text column without it is ""
}

// maxTextLine bounds a line of a db_text file.
const maxTextLine = 1 << 20

var (
	errTooLong    = fmt.Errorf("is longer than %d bytes", maxTextLine)
	errEmptyTable = errors.New("there is nothing: the first line names the columns")
)

// parseTextHeader reads the first line: id(int,auto) name(string) note(str,null).
func parseTextHeader(line string) ([]textColumn, error) {
	var columns []textColumn
	for _, w := range strings.Fields(line) {
		name, rest, ok := strings.Cut(w, "(")
		if !ok || name == "" || !strings.HasSuffix(rest, ")") {
			return nil, fmt.Errorf("column %q is not written name(type) or name(type,attribute)", short(w))
		}
		kind, attribute, _ := strings.Cut(strings.TrimSuffix(rest, ")"), ",")
		c := textColumn{name: name}
		switch strings.ToLower(kind) {
		case "int", "integer":
			c.kind = KindInt
		case "double", "float":
			c.kind = KindFloat
		case "str", "string", "blob":
			c.kind = KindText
		default:
			return nil, fmt.Errorf("column %s has the unknown type %q; there are int, double, string", name, short(kind))
		}
		switch strings.ToLower(attribute) {
		case "":
		case "auto":
			if c.kind != KindInt {
				return nil, fmt.Errorf("column %s is auto and no int", name)
			}
			c.auto = true
		case "null":
			c.null = true
		default:
			return nil, fmt.Errorf("column %s has the unknown attribute %q; there are auto, null", name, short(attribute))
		}
		if slices.ContainsFunc(columns, func(other textColumn) bool { return strings.EqualFold(other.name, name) }) {
			return nil, fmt.Errorf("column %s is there twice", name)
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("the first line names no column")
	}
	return columns, nil
}

// textHeader writes that line.
func textHeader(columns []textColumn) string {
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.name)
		switch c.kind {
		case KindInt:
			b.WriteString("(int")
		case KindFloat:
			b.WriteString("(double")
		default:
			b.WriteString("(string")
		}
		if c.auto {
			b.WriteString(",auto")
		} else if c.null {
			b.WriteString(",null")
		}
		b.WriteByte(')')
	}
	b.WriteByte('\n')
	return b.String()
}

// splitTextLine cuts a line at its colons and undoes the escapes. Fields beyond
// the columns are an error; those that lack are empty.
func splitTextLine(line string, columns []textColumn, values []Value) error {
	rest, more := line, true
	for i := range columns {
		var field string
		if more {
			var err error
			if field, rest, more, err = textField(rest); err != nil {
				return fmt.Errorf("column %s: %w", columns[i].name, err)
			}
		}
		v, err := columns[i].value(field)
		if err != nil {
			return fmt.Errorf("column %s: %w", columns[i].name, err)
		}
		values[i] = v
	}
	if more && rest != "" {
		return fmt.Errorf("more fields than the %d columns", len(columns))
	}
	return nil
}

// textField takes the first field off a line; more is whether a colon ended it.
func textField(line string) (field, rest string, more bool, err error) {
	end := strings.IndexAny(line, `:\`)
	if end < 0 {
		return line, "", false, nil
	}
	if line[end] == ':' {
		return line[:end], line[end+1:], true, nil
	}
	b := []byte(line[:end])
	for i := end; i < len(line); i++ {
		switch c := line[i]; {
		case c == ':':
			return string(b), line[i+1:], true, nil
		case c != '\\':
			b = append(b, c)
		case i+1 == len(line):
			return "", "", false, fmt.Errorf("a backslash ends the line")
		default:
			i++
			e, ok := textEscapes[line[i]]
			if !ok {
				return "", "", false, fmt.Errorf(`\%c is no escape; there are \n \r \t \0 \: and \\`, line[i])
			}
			b = append(b, e)
		}
	}
	return string(b), "", false, nil
}

var textEscapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '0': 0, ':': ':', '\\': '\\'}

// value reads a field as what its column says.
func (c *textColumn) value(field string) (Value, error) {
	if field == "" {
		if c.null || c.kind != KindText {
			return Null, nil
		}
		return String(""), nil
	}
	switch c.kind {
	case KindInt:
		n, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64)
		if err != nil {
			return Null, fmt.Errorf("%q is no number", short(field))
		}
		return Int(n), nil
	case KindFloat:
		f, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return Null, fmt.Errorf("%q is no number", short(field))
		}
		return Float(f), nil
	default:
		return String(field), nil
	}
}

// appendTextRow writes a row with its line end.
func appendTextRow(dst []byte, values []Value) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ':')
		}
		if v.kind != KindText && v.kind != KindBytes {
			dst = append(dst, v.Text()...)
			continue
		}
		for j := 0; j < len(v.s); j++ {
			switch c := v.s[j]; c {
			case '\n':
				dst = append(dst, `\n`...)
			case '\r':
				dst = append(dst, `\r`...)
			case '\t':
				dst = append(dst, `\t`...)
			case 0:
				dst = append(dst, `\0`...)
			case ':', '\\':
				dst = append(dst, '\\', c)
			default:
				dst = append(dst, c)
			}
		}
	}
	return append(dst, '\n')
}

// textTable is a table as its file has it.
type textTable struct {
	columns []textColumn
	values  []Value // row after row
	path    string  // of its file
	lines   []int32 // of each row in it; nil: nobody is told
}

func (t *textTable) len() int { return len(t.values) / len(t.columns) }

func (t *textTable) row(i int) []Value {
	n := len(t.columns)
	return t.values[i*n : (i+1)*n]
}

// readText reads a table from the file at a path. Errors name the line.
func readText(path string, r io.Reader) (*textTable, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxTextLine)
	t := textTable{path: path}
	var values []Value
	n := 1
	for ; in.Scan(); n++ {
		line := strings.TrimSuffix(in.Text(), "\r")
		if t.columns == nil {
			columns, err := parseTextHeader(strings.TrimPrefix(line, byteOrderMark))
			if err != nil {
				return nil, &FileError{path, n, err}
			}
			t.columns, values = columns, make([]Value, len(columns))
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := splitTextLine(line, t.columns, values); err != nil {
			return nil, &FileError{path, n, err}
		}
		t.values = append(t.values, values...)
		t.lines = append(t.lines, int32(n)) //nolint:gosec // lines of a file that fits into memory
	}
	if err := in.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = errTooLong
		}
		return nil, &FileError{path, n, err}
	}
	if t.columns == nil {
		return nil, &FileError{path, 1, errEmptyTable}
	}
	return &t, nil
}
