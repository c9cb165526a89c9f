package store

import (
	"fmt"
	"strings"
)

// creates gives the statements that make a table and its indexes.
func (d *dialect) creates(l *Layout) []string {
	var b strings.Builder
	b.WriteString("CREATE TABLE " + d.mustQuote(l.Table) + " (")
	for i, c := range l.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(d.column(&c))
	}
	b.WriteString(")")
	list := []string{b.String()}
	for i := range l.Indexes {
		list = append(list, d.index(l.Table, &l.Indexes[i]))
	}
	return list
}

// index gives the statement that makes an index. SQLite and PostgreSQL want its
// name to be no other table's.
func (d *dialect) index(table string, x *Index) string {
	verb, name := "CREATE INDEX ", x.Name
	if x.Unique {
		verb = "CREATE UNIQUE INDEX "
	}
	if d.scheme != MySQL {
		name = table + "_" + x.Name
	}
	columns := make([]string, len(x.Columns))
	for i, c := range x.Columns {
		columns[i] = d.mustQuote(c)
	}
	return verb + d.mustQuote(name) + " ON " + d.mustQuote(table) + " (" + strings.Join(columns, ", ") + ")"
}

// column gives a column as CREATE and ALTER TABLE want it.
func (d *dialect) column(c *Column) string {
	text := d.mustQuote(c.Name) + " " + d.typeOf(c)
	switch c.Type {
	case AutoColumn, BigAutoColumn, KeyColumn, BigKeyColumn:
		return text
	default:
	}
	if c.Has {
		text += " DEFAULT '" + c.Default + "'"
	} else if c.Null {
		text += " DEFAULT NULL"
	}
	if !c.Null {
		text += " NOT NULL"
	}
	return text
}

// typeOf gives the type of a column, the primary key's with what makes it one.
func (d *dialect) typeOf(c *Column) string {
	switch c.Type {
	case AutoColumn, BigAutoColumn:
		return d.autoType(c.Type == BigAutoColumn)
	case KeyColumn:
		return fmt.Sprintf("VARCHAR(%d) PRIMARY KEY NOT NULL", c.Size)
	case BigKeyColumn:
		if d.scheme == MySQL {
			return "BIGINT UNSIGNED PRIMARY KEY NOT NULL"
		}
		return "BIGINT PRIMARY KEY NOT NULL"
	case UintColumn:
		switch d.scheme {
		case MySQL:
			return "INT UNSIGNED"
		case Postgres:
			return "BIGINT" // it has none without a sign
		default:
			return "INTEGER"
		}
	case IntColumn:
		return "INTEGER"
	case FloatColumn:
		if d.scheme == MySQL {
			return "FLOAT(10,2)"
		}
		return "REAL"
	case TextColumn:
		return "TEXT"
	case BlobColumn:
		switch d.scheme {
		case MySQL:
			return "MEDIUMBLOB"
		case Postgres:
			return "BYTEA"
		default:
			return "BLOB"
		}
	case DatetimeColumn:
		if d.scheme == Postgres {
			return "TIMESTAMP"
		}
		return "DATETIME"
	default:
		return fmt.Sprintf("VARCHAR(%d)", c.Size)
	}
}

func (d *dialect) autoType(big bool) string {
	switch d.scheme {
	case MySQL:
		if big {
			return "BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL"
		}
		return "INT UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL"
	case Postgres:
		if big {
			return "BIGSERIAL PRIMARY KEY NOT NULL"
		}
		return "SERIAL PRIMARY KEY NOT NULL"
	default:
		return "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"
	}
}

// mustQuote quotes a name of a Layout, which a test has seen to be one.
func (d *dialect) mustQuote(name string) string {
	q, err := d.quoteName(name)
	if err != nil {
		panic(err)
	}
	return q
}
