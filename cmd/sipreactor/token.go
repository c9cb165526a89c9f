package main

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"

	"sipreactor/reactor/mi"
	"sipreactor/reactor/modules/httpd"
	"sipreactor/reactor/modules/mi_fifo"
	"sipreactor/reactor/modules/mi_http"
)

// askAs fills what a client was not told by its flags from the program's configuration: where that listens, where
// its answers go, and the token. from is where the token is from; "" there is none in it.
func askAs(c *mi.Client, file string, told func(flag string) bool) (from string, err error) {
	cfg, err := loadConfig(options{file: file})
	if err != nil {
		return "", err
	}
	h, f, loaded := said[httpd.Config](cfg, "httpd"), said[mi_fifo.Config](cfg, "mi_fifo"), cfg.Modules
	switch {
	case told("to"):
	case slices.Contains(loaded, "mi_fifo") || !slices.Contains(loaded, "mi_http"):
		c.Target = cmp.Or(f.Name, defaultFIFO)
	default:
		scheme := "http"
		if h.CertFile != "" {
			scheme = "https"
		}
		c.Target = scheme + "://" + net.JoinHostPort(h.IP, strconv.Itoa(int(h.Port))) + "/" + said[mi_http.Config](cfg, "mi_http").Root
	}
	if f.ReplyDir != "" && !told("reply-dir") {
		c.ReplyDir = f.ReplyDir
	}
	if told("token") || told("token-file") || !local(c.Target) {
		return "", nil
	}
	if c.Token = cmp.Or(h.Token, h.Password); c.Token != "" {
		return file, nil
	}
	if cfg.StateDir == "" || h.Open {
		return "", nil
	}
	from = stateDir(cfg.StateDir).path(tokenFile)
	c.Token, err = readSecret(from)
	return from, err
}

// findToken reads the token for HTTP when none was given: that of a file, or of a program of this machine where it
// keeps it by default. It goes nowhere else. from is where the token is from: a file or --token; "" there is none.
func findToken(c *mi.Client, file string) (from string, err error) {
	if c.Token != "" {
		return "--token", nil
	}
	if file != "" {
		c.Token, err = readSecret(file)
		return file, err
	}
	if !local(c.Target) {
		return "", nil
	}
	if from = defaultTokenFile(); from != "" {
		if c.Token, err = readSecret(from); errors.Is(err, os.ErrNotExist) {
			return "", nil
		}
	}
	return from, err
}

// local reports whether a target is reached by HTTP on this machine.
func local(to string) bool {
	target, err := url.Parse(to)
	if err != nil || target.Scheme != "http" && target.Scheme != "https" {
		return false
	}
	addr, err := netip.ParseAddr(target.Hostname())
	return target.Hostname() == "localhost" || err == nil && addr.IsLoopback()
}

// defaultTokenFile is where a program without a state_dir of its own keeps its token; "" when there is no such folder.
func defaultTokenFile() string {
	if dir := defaultStateDir(); dir != "" {
		return dir.path(tokenFile)
	}
	return ""
}

// tokenHint tells whose token was refused, and how to give another.
func tokenHint(from string) string {
	sent := "no token was sent"
	if from != "" {
		sent = "the token of " + from + " was sent"
	}
	return sent + "; --token-file names another file: " + tokenFile + " in the program's state_dir, which its log names at the start; -f finds it by the program's configuration"
}
