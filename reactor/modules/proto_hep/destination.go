package proto_hep

import (
	"errors"
	"strconv"
	"strings"

	"sipreactor/reactor/script"
)

const usage = "is [name]host[:port][;transport=udp|tcp|tls][;version=1..3]"

// destination reads a hep_id.
func destination(t *Config, v script.Literal) error {
	d := Destination{Pos: v.At, Port: 9060, Version: 3}
	rest, ok := strings.CutPrefix(v.Text, "[")
	if d.Name, rest, ok = cutIf(rest, "]", ok); !ok || d.Name == "" {
		return errors.New(usage)
	}
	addr, params, _ := strings.Cut(rest, ";")
	host, port, msg := script.SplitHost(strings.TrimSpace(addr))
	if msg != "" || host == "*" {
		return errors.New(usage + ": " + script.Clip(addr) + " is no host")
	}
	if d.Host = host; port != 0 {
		d.Port = port
	}
	for params != "" {
		var p string
		p, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch name = strings.TrimSpace(name); strings.ToLower(name) {
		case "transport":
			switch d.Transport = strings.ToLower(strings.TrimSpace(value)); d.Transport {
			case "udp", "tcp", "tls":
			default:
				return errors.New(usage + ": there is no transport " + script.Clip(value))
			}
		case "version":
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil || n < 1 || n > 3 {
				return errors.New("has version=" + script.Clip(value) + ": the versions are 1, 2 and 3")
			}
			d.Version = n
		case "":
		default:
			return errors.New(usage + ": unknown " + script.Clip(name) + script.Hint(name, []string{"transport", "version"}))
		}
	}
	switch {
	case d.Transport == "" && d.Version < 3:
		d.Transport = "udp"
	case d.Transport == "":
		d.Transport = "tcp"
	case d.Transport != "udp" && d.Version < 3:
		return errors.New("has version=" + strconv.Itoa(d.Version) + " and transport=" + d.Transport + ": before version 3 there is UDP alone")
	}
	for _, other := range t.Destinations {
		if other.Name == d.Name {
			return errors.New("names " + d.Name + " a second time")
		}
	}
	t.Destinations = append(t.Destinations, d)
	return nil
}

// cutIf is strings.Cut for text whose beginning was right.
func cutIf(s, sep string, ok bool) (before, after string, found bool) {
	if !ok {
		return "", s, false
	}
	return strings.Cut(s, sep)
}
