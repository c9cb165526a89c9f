package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"sipreactor/reactor/store"
)

const dbUsage = `Usage: sipreactor db create URL [TABLE ...]   make the tables of OpenSIPS 3.6, and the database where it is missing
       sipreactor db migrate URL [TABLE ...]  bring older ones there: tables and columns are added, nothing is removed
       sipreactor db tables                   list the tables with their versions

A URL is that of db_url: mysql://user:password@host/database, postgres://user:password@host/database,
sqlite:///path or text:///folder. With - it is read from standard input, where no other user sees its password.

Exit codes: 0 done, 1 failed, 2 wrong usage
`

// runDB makes tables.
func runDB(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	f := pflag.NewFlagSet("sipreactor db", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	help := f.BoolP("help", "h", false, "")
	err := f.Parse(args)
	switch {
	case err == nil && *help:
		fmt.Fprint(stdout, dbUsage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "sipreactor db: %v\n", err)
		return exitUsage
	}
	switch {
	case f.NArg() == 1 && f.Arg(0) == "tables":
		for _, l := range store.Layouts() {
			fmt.Fprintf(stdout, "%-18s %d\n", l.Table, l.Version)
		}
		return exitOK
	case f.NArg() >= 2 && (f.Arg(0) == "create" || f.Arg(0) == "migrate"):
	default:
		fmt.Fprintln(stderr, "sipreactor db: create URL, migrate URL or tables is wanted; sipreactor db --help tells the usage")
		return exitUsage
	}
	dbURL, err := givenURL(f.Arg(1), stdin)
	if err == nil && f.Arg(0) == "create" {
		err = store.Create(ctx, dbURL, f.Args()[2:]...)
	} else if err == nil {
		var steps []string
		steps, err = store.Migrate(ctx, dbURL, f.Args()[2:]...)
		for _, s := range steps {
			fmt.Fprintln(stdout, s)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "sipreactor db: %s\n", visible(err.Error()))
		return exitFailed
	}
	return exitOK
}

// givenURL reads the URL where the argument says so.
func givenURL(arg string, stdin io.Reader) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}
