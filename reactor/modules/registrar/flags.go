package registrar

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sipreactor/reactor/location"
)

// pathMode says what becomes of Path.
type pathMode uint8

const (
	pathIgnored pathMode = iota // no flag: neither stored nor used
	pathOff
	pathLazy
	pathStrict
)

// SaveFlags are those of save().
type SaveFlags struct {
	noReply, force, only, socketHeader, pathReceived, memoryOnly bool
	path                                                         pathMode
	max, minExpires, maxExpires                                  int64 // -1: the parameter's
	matching                                                     location.Matching
	matchParam                                                   string
	matchGiven                                                   bool
}

// StoresPath reports whether Path is stored with contacts.
func (f *SaveFlags) StoresPath() bool { return f.path == pathLazy || f.path == pathStrict }

// saveFlagsHelp are the flags of save().
const saveFlagsHelp = "memory-only, no-reply, force-registration, only-request-contacts, socket-header, " +
	"path-off, path-lazy, path-strict, path-received, max-contacts=, min-expires=, max-expires=, matching-mode="

// parseSaveFlags reads the second argument of save(), by names or by the letters of older versions.
func parseSaveFlags(text string) (f SaveFlags, err error) {
	f.max, f.minExpires, f.maxExpires = -1, -1, -1
	list, err := words(text, saveLetters)
	if err != nil {
		return f, err
	}
	for _, w := range list {
		name, value, has := strings.Cut(w, "=")
		var number int64
		if has && name != "matching-mode" {
			if number, err = strconv.ParseInt(value, 10, 32); err != nil || number < 0 {
				return f, fmt.Errorf("%s wants a number, not %q", name, value)
			}
		}
		switch name {
		case "memory-only":
			f.memoryOnly = true
		case "no-reply":
			f.noReply = true
		case "force-registration":
			f.force = true
		case "only-request-contacts":
			f.only = true
		case "socket-header":
			f.socketHeader = true
		case "path-off":
			f.path = pathOff
		case "path-lazy":
			f.path = pathLazy
		case "path-strict":
			f.path = pathStrict
		case "path-received":
			f.pathReceived = true
		case "max-contacts":
			f.max = number
		case "min-expires":
			f.minExpires = number
		case "max-expires":
			f.maxExpires = number
		case "matching-mode":
			f.matchGiven = true
			switch {
			case value == "0":
				f.matching = location.ByURI
			case value == "1":
				f.matching = location.ByURIAndCallID
			case len(value) > 2 && value[0] == '<' && value[len(value)-1] == '>':
				f.matching, f.matchParam = location.ByParam, value[1:len(value)-1]
			default:
				return f, fmt.Errorf("matching-mode is 0, 1 or <parameter>, not %q", value)
			}
		default:
			return f, fmt.Errorf("unknown flag %q: %s", w, saveFlagsHelp)
		}
		if wants := name == "max-contacts" || name == "min-expires" || name == "max-expires" || name == "matching-mode"; wants != has {
			return f, fmt.Errorf("the flag %q is wrong: =value is for max-contacts, min-expires, max-expires and matching-mode", w)
		}
	}
	return f, nil
}

// lookupFlags are those of lookup().
type lookupFlags struct {
	noBranches, branchesOnly, expand, methods bool
	byLatency                                 bool
	maxLatency                                int64 // microseconds; 0 any
	agent                                     *regexp.Regexp
}

func parseLookupFlags(text string) (f lookupFlags, err error) {
	list, err := words(text, lookupLetters)
	if err != nil {
		return f, err
	}
	fold, agent := "", ""
	for _, w := range list {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "no-branches":
			f.noBranches = true
		case "to-branches-only":
			f.branchesOnly = true
		case "branch":
			f.expand = true
		case "method-filtering":
			f.methods = true
		case "case-insensitive":
			fold = "(?i)"
		case "ua-filtering":
			agent = value
		case "extended-regexp": // they all are
		case "global": // there is no cluster: all that is known is here
		case "sort-by-latency":
			f.byLatency = true
		case "max-ping-latency":
			if f.maxLatency, err = strconv.ParseInt(value, 10, 64); err != nil || f.maxLatency < 1 {
				return f, fmt.Errorf("max-ping-latency wants microseconds, not %q", value)
			}
		default:
			return f, fmt.Errorf("unknown flag %q: no-branches, to-branches-only, branch, method-filtering, ua-filtering=/regexp/, "+
				"case-insensitive, extended-regexp, global, max-ping-latency=, sort-by-latency", w)
		}
	}
	if f.noBranches && f.expand {
		return f, fmt.Errorf("no-branches and branch exclude one another")
	}
	if agent == "" {
		return f, nil
	}
	pattern, end, ok := strings.Cut(strings.TrimPrefix(agent, "/"), "/")
	if !strings.HasPrefix(agent, "/") || !ok {
		return f, fmt.Errorf("ua-filtering wants /regexp/, not %q", agent)
	}
	if strings.Contains(end, "i") {
		fold = "(?i)"
	}
	f.agent, err = regexp.Compile(fold + pattern)
	return f, err
}

// Letters of flags in older versions; those with a value have it behind them.
var (
	saveLetters = map[byte]string{'m': "memory-only", 'r': "no-reply", 'f': "force-registration", 'o': "only-request-contacts",
		's': "socket-header", 'v': "path-received", 'c': "max-contacts=", 'e': "min-expires=", 'E': "max-expires=", 'M': "matching-mode=",
		'p': "path"}
	lookupLetters = map[byte]string{'b': "no-branches", 'B': "to-branches-only", 'r': "branch", 'm': "method-filtering", 'g': "global",
		'i': "case-insensitive", 'e': "extended-regexp", 'u': "ua-filtering=", 'y': "max-ping-latency=", 'Y': "sort-by-latency"}
)

// words cuts flags at commas. A text without a known word is read as letters.
func words(text string, letters map[byte]string) (list []string, err error) {
	for w := range strings.SplitSeq(text, ",") {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		if len(w) > 3 && strings.Contains(w, "-") && !strings.ContainsAny(w[:1], "Mu") || w == "branch" || w == "global" ||
			strings.HasPrefix(w, "ua-") {
			list = append(list, w)
			continue
		}
		old, err := spelled(w, letters)
		if err != nil {
			return nil, err
		}
		list = append(list, old...)
	}
	return list, nil
}

// spelled reads letters: "mc5p1v".
func spelled(w string, letters map[byte]string) (list []string, err error) {
	for i := 0; i < len(w); {
		name, ok := letters[w[i]]
		if !ok {
			return []string{w}, nil // who reads the flags tells which there are
		}
		i++
		from := i
		switch {
		case name == "path":
			if i == len(w) || w[i] < '0' || w[i] > '2' {
				return nil, fmt.Errorf("p wants 0, 1 or 2 in %q", w)
			}
			list = append(list, []string{"path-off", "path-lazy", "path-strict"}[w[i]-'0'])
			i++
			continue
		case !strings.HasSuffix(name, "="):
		case i < len(w) && w[i] == '<':
			for i < len(w) && w[i-1] != '>' {
				i++
			}
		case i < len(w) && w[i] == '/':
			if end := strings.LastIndexByte(w, '/'); end > i {
				i = end + 1
			}
		default:
			for i < len(w) && '0' <= w[i] && w[i] <= '9' {
				i++
			}
		}
		list = append(list, name+w[from:i])
	}
	return list, nil
}
