package store

import (
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Refused reports whether an error says that the database has something against the values of a row, and would take
// others.
func Refused(err error) bool {
	var my *mysql.MySQLError
	var pg *pgconn.PgError
	var lite *sqlite.Error
	switch {
	case errors.As(err, &my):
		switch my.Number {
		case 1048, 1062, 1153, 1264, 1265, 1292, 1366, 1406, 1452, 1644, 3140, 3819, 4025: // a NULL, a key, a size, a number, a date, a character, a constraint
			return true
		}
	case errors.As(err, &pg):
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "54") || pg.Code == "P0001"
	case errors.As(err, &lite):
		switch lite.Code() & 0xff {
		case 18, 19, 20: // too big, a constraint, another type
			return true
		}
	}
	return false
}

// tooLong reports whether an error says that a text is longer than its column.
func tooLong(err error) bool {
	var my *mysql.MySQLError
	var pg *pgconn.PgError
	return errors.As(err, &my) && my.Number == 1406 || errors.As(err, &pg) && pg.Code == "22001"
}
