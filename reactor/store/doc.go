// Package store reads and writes tables: of a database, or of files.
//
// [Open] gives the pool of a db_url, as OpenSIPS writes them:
//
//	mysql://user:password@host:port/database     MariaDB, MySQL
//	postgres://user:password@host:port/database  PostgreSQL
//	sqlite:///var/lib/sipreactor/sip.db          SQLite, part of the program
//	text:///etc/sipreactor/tables                a folder of db_text files
//
// All who open one URL share one pool. Opening connects to nothing; that a
// database is away is found out by who asks it.
//
//	db, err := store.Open("sqlite:///var/lib/sipreactor/sip.db", store.Options{})
//	if err != nil {
//		return err
//	}
//	defer db.Close()
//	err = db.Load(ctx, store.Select{
//		Table:   "dispatcher",
//		Columns: []string{"id", "setid", "destination"},
//	}, func(r *store.Row) error {
//		add(r.Int(1), r.Text(2))
//		return nil // an id or a setid that is no number is an error all the same
//	})
//
// # Who waits
//
// Every function that takes a context asks the database and waits for it, for
// [Options.Timeout] at most: never on a loop, and on a shard only in
// Worker.Wait. A pool has a bound of connections ([Options.Conns]) and of those
// who wait for one ([Options.Waiting]). A database that is gone costs the one
// who found out; from then on who asks gets [ErrDown] at once, and one in a
// while tries again. A database that is slow costs those who ask it.
//
// # Tables in memory
//
// A [Snapshot] is what routing reads: made of tables, immutable, and replaced as
// a whole by a reload that had no error. Its last good state is kept in a file,
// with which a box starts whose database is away.
//
// # Layouts
//
// [Create] makes the tables of OpenSIPS 3.6, [Migrate] brings older ones there;
// [DB.CheckVersion] says which version of a table is wanted.
//
// # Values
//
// Values are sent as texts and never as part of a statement, so nothing that a
// message brings is read as SQL. Passwords of a URL are in no error and in no
// log: a [URL] prints without.
package store
