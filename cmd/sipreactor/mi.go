package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"sipreactor/reactor/mi"
)

const miUsage = `Usage: sipreactor mi [flags] COMMAND [ARGUMENT ...]

Asks a running sipreactor. "sipreactor mi which" lists the commands,
"sipreactor mi help COMMAND" tells what one does.

Flags:
%s
Exit codes: 0 answered, 1 refused or not reached, 2 wrong usage
`

// miTimeout is how long a command may take.
const miTimeout = 10 * time.Second

// runMI is the client of the management interface.
func runMI(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	f := pflag.NewFlagSet("sipreactor mi", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SetInterspersed(false)
	c := mi.Client{}
	f.StringVar(&c.Target, "to", defaultFIFO, "where it listens: FIFO, UNIX socket, http://HOST:PORT/mi or udp:HOST:PORT")
	f.StringVar(&c.ReplyDir, "reply-dir", "/tmp", "where FIFOs for answers are made: its reply_dir")
	f.StringVar(&c.Token, "token", "", "token for HTTP; better is a file")
	file := f.String("token-file", "", "file with the token for HTTP: http_token in the program's state_dir, which its log names at the start; default on this machine: that of the configuration, or of the default state_dir, "+defaultTokenFile())
	config := f.StringP("file", "f", "", "configuration of the program: it tells where it listens, where answers go, and where its token is")
	asJSON := f.Bool("json", false, "print the answer as it comes")
	help := f.BoolP("help", "h", false, "print this help and exit")
	switch err := f.Parse(args); {
	case err == nil && *help:
		fmt.Fprintf(stdout, miUsage, f.FlagUsages())
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "sipreactor mi: %v\n", err)
		return exitUsage
	case f.NArg() == 0:
		fmt.Fprintln(stderr, "sipreactor mi: a COMMAND is missing; sipreactor mi --help tells the usage")
		return exitUsage
	}
	from, err := "", error(nil)
	if *config != "" {
		from, err = askAs(&c, *config, f.Changed)
	}
	if err == nil && from == "" {
		from, err = findToken(&c, *file)
	}
	if err != nil {
		fmt.Fprintf(stderr, "sipreactor mi: %v\n", err)
		return exitFailed
	}
	ctx, cancel := context.WithTimeout(ctx, miTimeout)
	defer cancel()
	var params any
	if f.NArg() > 1 {
		params = f.Args()[1:]
	}
	answer, err := c.Call(ctx, f.Arg(0), params)
	switch {
	case err != nil:
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			lines[i] = visible(line)
		}
		if errors.Is(err, mi.ErrUnauthorized) {
			lines = append(lines, visible(tokenHint(from)))
		}
		fmt.Fprintf(stderr, "sipreactor mi: %s\n", strings.Join(lines, "\n  "))
		return exitFailed
	case *asJSON:
		fmt.Fprintln(stdout, visibleJSON(answer))
	default:
		printAnswer(stdout, answer)
	}
	return exitOK
}

// printAnswer writes an answer for people: a line for each value, indented by what it belongs to. The order of
// members is the answer's.
func printAnswer(w io.Writer, answer json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := printValue(w, d, 0, ""); err != nil {
		fmt.Fprintln(w, visible(string(answer)))
	}
}

// printValue writes the next value of d behind a label.
func printValue(w io.Writer, d *json.Decoder, depth int, label string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	indent := strings.Repeat("  ", depth)
	open, nested := token.(json.Delim)
	if text, ok := token.(string); ok {
		token = visible(text)
	}
	if !nested {
		if label != "" {
			label += ": "
		}
		_, err := fmt.Fprintf(w, "%s%s%v\n", indent, label, token)
		return err
	}
	if label != "" {
		fmt.Fprintf(w, "%s%s:\n", indent, label)
		depth++
	}
	for n := 1; d.More(); n++ {
		name := ""
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name = visible(fmt.Sprint(key))
		} else if depth > 0 {
			name = fmt.Sprint(n)
		}
		if err := printValue(w, d, depth, name); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
