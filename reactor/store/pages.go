package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

const (
	page  = 5000            // rows that LoadPages reads at once
	notes = 5 * time.Second // between two lines of the log that tell how far it is
)

// LoadPages is Load for a table that may be large: the rows come by pages, in the order of q.Key, which is one of
// q.Columns and an integer above 0. Each page has the time of a Load and all together have none, so it goes on for as
// long as it comes forward; log is told how far it is.
func (db *DB) LoadPages(ctx context.Context, log *slog.Logger, q Select, each func(*Row) error) error {
	if db.url.Scheme == Text {
		return db.Load(ctx, q, each) // it has no order
	}
	key := slices.Index(q.Columns, q.Key)
	where, rows, told := slices.Clip(q.Where), 0, time.Now()
	q.Order, q.Limit = q.Key, page
	for last := int64(0); ; {
		n, from := 0, last
		q.Where = append(where, Cond{Column: q.Key, Op: ">", Value: Int(last)})
		err := db.Load(ctx, q, func(r *Row) error {
			n++
			at := r.Int(key)
			if err := r.Err(); err != nil {
				return err
			}
			last = max(last, at)
			return each(r)
		})
		rows += n
		switch {
		case err != nil:
			return fmt.Errorf("%w (%d rows were read)", err, rows)
		case n < page:
			return nil
		case last == from:
			return fmt.Errorf("%s: table %s has no order by %s", db.url, q.Table, q.Key)
		case time.Since(told) > notes:
			told = time.Now()
			log.Info("rows are being read", "table", q.Table, "rows", rows)
		}
	}
}
