package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Kind says what a Value is.
type Kind uint8

// The kinds of values. Null is that of the zero Value.
const (
	KindNull Kind = iota
	KindInt
	KindFloat
	KindText
	KindBytes // only of what is written: bytes are read as a text
)

// Value is one field of a row. The zero value is NULL.
type Value struct {
	kind Kind
	n    int64
	f    float64
	s    string
	cut  bool // a text that is cut to what its column holds
}

// Null is the value that is none.
var Null Value

// Int returns the value of a number.
func Int(n int64) Value { return Value{kind: KindInt, n: n} }

// Float returns the value of a number with a fraction.
func Float(f float64) Value { return Value{kind: KindFloat, f: f} }

// String returns the value of a text. A byte in it that is no UTF-8, or is 0, is written to databases on a network as
// its number, as \xE9: they would refuse the row.
func String(s string) Value { return Value{kind: KindText, s: s} }

// Cuttable returns the value of a text of which a column takes as much as it holds, where the database would refuse
// the row. It is not for what rows are found by.
func Cuttable(s string) Value { return Value{kind: KindText, s: s, cut: true} }

// Bytes returns the value of a column of bytes, such as a certificate's.
func Bytes(b string) Value { return Value{kind: KindBytes, s: b} }

// timeForm is how databases write a date and time.
const timeForm = "2006-01-02 15:04:05"

// Time returns the value of a datetime column, to the second, in local time as
// OpenSIPS writes it.
func Time(t time.Time) Value { return String(t.Local().Format(timeForm)) }

// Kind returns what v is.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is NULL.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Text returns v as a text; "" for NULL.
func (v Value) Text() string {
	switch v.kind {
	case KindInt:
		return strconv.FormatInt(v.n, 10)
	case KindFloat:
		return strconv.FormatFloat(v.f, 'f', -1, 64)
	case KindText, KindBytes:
		return v.s
	default:
		return ""
	}
}

// Int returns v as a number, if it is one or a text that reads as one; 0 for
// NULL. A fraction is cut off.
func (v Value) Int() (int64, bool) {
	switch v.kind {
	case KindInt:
		return v.n, true
	case KindFloat:
		return int64(v.f), true
	case KindText:
		n, err := strconv.ParseInt(v.s, 10, 64)
		return n, err == nil
	default:
		return 0, true
	}
}

// Float returns v as a number with a fraction, if it is or reads as one; 0 for NULL.
func (v Value) Float() (float64, bool) {
	switch v.kind {
	case KindInt:
		return float64(v.n), true
	case KindFloat:
		return v.f, true
	case KindText:
		f, err := strconv.ParseFloat(v.s, 64)
		return f, err == nil
	default:
		return 0, true
	}
}

// argument is v as a driver takes it. A number goes as its digits: it then
// compares and is kept by the column's type with every kind of database.
func (v Value) argument() any {
	switch v.kind {
	case KindNull:
		return nil
	case KindBytes:
		return []byte(v.s)
	default:
		return v.Text()
	}
}

var (
	_ sql.Scanner   = (*Value)(nil)
	_ driver.Valuer = Value{}
)

// Value is driver.Valuer.
func (v Value) Value() (driver.Value, error) { return v.argument(), nil }

// Scan is sql.Scanner: it takes what a driver has read.
func (v *Value) Scan(src any) error {
	switch x := src.(type) {
	case nil:
		*v = Value{}
	case int64:
		*v = Int(x)
	case uint64:
		*v = Int(int64(min(x, math.MaxInt64)))
	case float64:
		*v = Float(x)
	case float32:
		*v = Float(float64(x))
	case string:
		*v = String(x)
	case []byte:
		*v = String(string(x))
	case bool:
		*v = Int(0)
		if x {
			v.n = 1
		}
	case time.Time:
		*v = String(x.Format(timeForm))
	default:
		return fmt.Errorf("a value of type %T is not expected", src)
	}
	return nil
}

// number makes a text of digits the number it is: drivers hand some columns of
// numbers over as texts.
func (v *Value) number() {
	if v.kind != KindText {
		return
	}
	if n, err := strconv.ParseInt(v.s, 10, 64); err == nil {
		*v = Int(n)
	} else if f, err := strconv.ParseFloat(v.s, 64); err == nil {
		*v = Float(f)
	}
}
