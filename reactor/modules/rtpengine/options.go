package rtpengine

import (
	"errors"
	"fmt"
	"strings"

	"sipreactor/reactor/modules/rtpengine/ng"
)

// options are the flags of a call: what they ask of us, and what is passed on.
type options struct {
	callID, fromTag, toTag string // instead of the message's
	withTo                 bool   // to-tag without a value: a delete has it, too
	viaBranch, viaParam    string
	received               string
	forceAnswer            bool

	flags, replace, direction, mux ng.List
	secure, plain, feedback, basic bool // SRTP, RTP, AVPF, AVP
	rest                           ng.Dict
}

// protocols are the words that name a transport protocol whole.
var protocols = map[string]bool{"RTP/AVP": true, "RTP/SAVP": true, "RTP/AVPF": true, "RTP/SAVPF": true, "UDP/TLS/RTP/SAVP": true, "UDP/TLS/RTP/SAVPF": true}

// parseOptions reads flags: words and key=value, with blanks between them.
func parseOptions(text string) (o options, err error) {
	in, out := "", ""
	for text != "" {
		var word string
		if word, text, err = cutItem(text); err != nil {
			return o, err
		}
		if word == "" {
			continue
		}
		key, value, valued := strings.Cut(word, "=")
		switch {
		case !valued:
			o.word(word)
		case key == "in-iface":
			in = value
		case key == "out-iface":
			out = value
		default:
			if err := o.pair(key, value); err != nil {
				return o, err
			}
		}
	}
	switch {
	case in != "" && out != "":
		o.direction = ng.List{in, out}
	case in != "" || out != "":
		return o, errors.New("in-iface and out-iface go together")
	}
	return o, nil
}

// word takes a flag without a value.
func (o *options) word(w string) {
	switch w {
	case "to-tag":
		o.withTo = true
	case "force-answer":
		o.forceAnswer = true
	case "internal", "external":
		o.direction = append(o.direction, w)
	case "RTP":
		o.plain = true
	case "SRTP":
		o.secure = true
	case "AVP":
		o.basic = true
	case "AVPF":
		o.feedback = true
	default:
		switch {
		case protocols[w]:
			o.rest.Add("transport-protocol", w)
		case strings.HasPrefix(w, "replace-"):
			o.replace = append(o.replace, w[len("replace-"):])
		case strings.HasPrefix(w, "rtcp-mux-"):
			o.mux = append(o.mux, w[len("rtcp-mux-"):])
		default:
			o.flags = append(o.flags, w)
		}
	}
}

func (o *options) pair(key, value string) error {
	switch key {
	case "":
		return errors.New("a value has no key")
	case "call-id":
		o.callID = value
	case "from-tag":
		o.fromTag = value
	case "to-tag":
		o.toTag, o.withTo = value, true
	case "via-branch":
		switch value {
		case "1", "2", "auto", "extra":
			o.viaBranch = value
		default:
			return fmt.Errorf("via-branch=%s is none of 1, 2, auto and extra", value)
		}
	case "via-branch-param":
		o.viaParam = value
	case "received-from":
		o.received = value
	case "command", "cookie", "sdp":
		return fmt.Errorf("%s is no flag", key)
	default:
		if !strings.HasPrefix(value, "[") {
			o.rest.Add(key, value)
			return nil
		}
		if len(value) > maxBracket {
			return fmt.Errorf("the value of %s is longer than %d bytes", key, maxBracket)
		}
		v, err := parseBracket(value, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		o.rest.Add(key, v)
	}
	return nil
}

// transport is the transport protocol that words such as SRTP and AVPF ask for; "" is
// none.
func (o *options) transport() string {
	if !o.secure && !o.plain && !o.feedback && !o.basic {
		return ""
	}
	t := "RTP/"
	if o.secure {
		t += "S"
	}
	t += "AVP"
	if o.feedback {
		t += "F"
	}
	return t
}

// appendTo adds what is passed on to a request.
func (o *options) appendTo(w *ng.Writer) {
	for _, l := range [...]struct {
		key  string
		list ng.List
	}{{"flags", o.flags}, {"replace", o.replace}, {"direction", o.direction}, {"rtcp-mux", o.mux}} {
		if len(l.list) > 0 {
			w.List(l.key, l.list)
		}
	}
	if t := o.transport(); t != "" {
		w.Text("transport-protocol", t)
	}
	for _, e := range o.rest {
		w.Entry(e)
	}
}

// Bounds of values in brackets, as the documentation has them.
const (
	maxBracket = 4096
	maxNesting = 8
)

var errBracket = errors.New("a bracket is open, or closed twice")

// cutItem cuts the first item off, which ends at a blank outside of brackets.
func cutItem(text string) (item, rest string, err error) {
	depth := 0
	for i := range len(text) {
		switch c := text[i]; {
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth < 0 {
				return "", "", errBracket
			}
		case depth == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return text[:i], text[i+1:], nil
		}
	}
	if depth > 0 {
		return "", "", errBracket
	}
	return text, "", nil
}

// parseBracket reads [a b] as a list, and [a=b c=[d]] as a dictionary.
func parseBracket(text string, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("brackets are nested more than %d times", maxNesting)
	}
	if !strings.HasSuffix(text, "]") {
		return nil, errBracket
	}
	rest := text[1 : len(text)-1]
	var items []string
	dict := false
	for rest != "" {
		item, next, err := cutItem(rest)
		if err != nil {
			return nil, err
		}
		if rest = next; item != "" {
			items = append(items, item)
			eq, open := strings.IndexByte(item, '='), strings.IndexByte(item, '[')
			dict = dict || eq >= 0 && (open < 0 || eq < open)
		}
	}
	list, d := ng.List{}, ng.Dict{}
	for _, item := range items {
		key := ""
		if dict {
			var ok bool
			if key, item, ok = strings.Cut(item, "="); !ok || key == "" {
				return nil, errors.New("an item of a dictionary is no key=value")
			}
		}
		var v any = unescape.Replace(item)
		if strings.HasPrefix(item, "[") {
			var err error
			if v, err = parseBracket(item, depth+1); err != nil {
				return nil, err
			}
		}
		if dict {
			d.Add(unescape.Replace(key), v)
		} else {
			list = append(list, v)
		}
	}
	if dict {
		return d, nil
	}
	return list, nil
}

// unescape is how a blank and an equals sign stand in brackets.
var unescape = strings.NewReplacer("..", " ", "--", "=")
