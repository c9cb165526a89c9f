package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sipreactor/reactor/mi"
)

// The shells ask the program itself: what is behind "__complete" are the words of the command line up to the cursor,
// and it prints what the last of them may become, a line each.
var completions = map[string]string{
	"bash": `_sipreactor() {
	local IFS=$'\n'
	COMPREPLY=($(sipreactor __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sipreactor sipreactor
`,
	"zsh": `#compdef sipreactor
_sipreactor() {
	local -a found
	found=(${(f)"$(sipreactor __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
	if (( $#found )); then compadd -a found; else _files; fi
}
compdef _sipreactor sipreactor
`,
	"fish": `complete -c sipreactor -a '(sipreactor __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

// completeTimeout is how long a running instance may take to list its commands.
const completeTimeout = time.Second

// usualCommands are completed when no instance answers.
var usualCommands = []string{
	"get_statistics", "help", "kill", "list_sockets", "list_statistics", "list_tcp_conns", "log_level", "ps", "pwd",
	"reset_statistics", "tcp_backoff", "tcp_backoff_reset", "tcp_close_conn", "tls_list", "tls_reload", "tls_trace", "uptime", "version", "which", "xlog_level",
}

// runCompletion prints a shell's completion script.
func runCompletion(args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && completions[args[0]] != "" {
		fmt.Fprint(stdout, completions[args[0]])
		return exitOK
	}
	text := `Usage: sipreactor completion bash|zsh|fish

Prints a script with which the shell completes commands and flags, for example
  source <(sipreactor completion bash)
`
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		fmt.Fprint(stdout, text)
		return exitOK
	}
	fmt.Fprint(stderr, text)
	return exitUsage
}

// runComplete prints what the last of the words may become.
func runComplete(ctx context.Context, words []string, stdout io.Writer) int {
	for _, w := range complete(ctx, words) {
		fmt.Fprintln(stdout, w)
	}
	return exitOK
}

func complete(ctx context.Context, words []string) []string {
	if len(words) == 0 {
		return nil
	}
	last := words[len(words)-1]
	var all []string
	switch {
	case len(words) == 1:
		all = []string{"completion", "db", "demo", "example", "mi", "--check", "--cpuprofile", "--file", "--help", "--version"}
	case words[0] == "completion" && len(words) == 2:
		all = []string{"bash", "fish", "zsh"}
	case words[0] == "db" && len(words) == 2:
		all = []string{"create", "migrate", "tables", "--help"}
	case words[0] == "demo":
		all = []string{"--calls", "--cert", "--duration", "--help"}
	case words[0] == "mi":
		all = completeMI(ctx, words[1:])
	}
	return slices.DeleteFunc(all, func(w string) bool {
		return !strings.HasPrefix(w, last) || strings.HasPrefix(w, "-") && last == ""
	})
}

// completeMI completes the management client's words; the last is under way.
func completeMI(ctx context.Context, words []string) []string {
	c, file := mi.Client{Target: defaultFIFO, ReplyDir: "/tmp"}, ""
	values := map[string]*string{"--to": &c.Target, "--reply-dir": &c.ReplyDir, "--token": &c.Token, "--token-file": &file}
	for len(words) > 1 && strings.HasPrefix(words[0], "-") {
		name, value, has := strings.Cut(words[0], "=")
		words = words[1:]
		if to := values[name]; to != nil && !has {
			if len(words) == 1 {
				return nil // the value itself: a file, an address
			}
			value, has, words = words[0], true, words[1:]
		}
		if to := values[name]; to != nil && has {
			*to = value
		}
	}
	if len(words) > 2 || len(words) == 2 && words[0] != "help" && words[0] != "which" {
		return nil
	}
	_, _ = findToken(&c, file) // without one, the usual commands
	return append(commandNames(ctx, &c), "--help", "--json", "--reply-dir", "--to", "--token", "--token-file")
}

// commandNames asks the running instance for its commands.
func commandNames(ctx context.Context, c *mi.Client) []string {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	var names []string
	if answer, err := c.Call(ctx, "which", nil); err != nil || json.Unmarshal(answer, &names) != nil {
		return slices.Clone(usualCommands)
	}
	return names
}
