package sipmsgops

import (
	"bytes"
	"net/netip"
	"strings"

	"sipreactor/reactor"
	"sipreactor/reactor/script"
	"sipreactor/sipframe"
	"sipreactor/sipframe/body"
)

// fault is what sipmsg_validate() finds: its code, and the text that tells of it.
type fault struct {
	code int
	text string
}

// The faults, numbered as OpenSIPS numbers them. What the proxy has refused
// before the script saw the message cannot be met, but for the sake of the table
// has its number.
var (
	faultHeader        = fault{-2, "Header Parsing error"}
	faultCallID        = fault{-3, "No Call-ID header"}
	faultNoLength      = fault{-4, "No Content-Length header"}
	faultLength        = fault{-5, "Invalid Content-Length"}
	faultSDP           = fault{-6, "SDP body parsing error"}
	faultCSeq          = fault{-7, "No CSeq header"}
	faultFrom          = fault{-8, "No From header"}
	faultTo            = fault{-9, "No To header"}
	faultVia           = fault{-10, "No Via header"}
	faultURI           = fault{-11, "Request URI parse error"}
	faultURIHost       = fault{-12, "Bad hostname in R-URI"}
	faultMaxForwards   = fault{-13, "No Max-Forwards header"}
	faultContact       = fault{-14, "No Contact header"}
	faultPath          = fault{-15, "Path used for non-REGISTER request"}
	faultAllow         = fault{-16, "No Allow header in 405 reply"}
	faultMinExpires    = fault{-17, "No Min-Expires header in 423 reply"}
	faultProxyAuth     = fault{-18, "No Proxy-Authenticate header in 407 reply"}
	faultUnsupported   = fault{-19, "No Unsupported header in 420 reply"}
	faultWWWAuth       = fault{-20, "No WWW-Authenticate header in 401 reply"}
	faultContentType   = fault{-21, "No Content-Type header"}
	faultToHeader      = fault{-22, "To header parse error"}
	faultToHost        = fault{-23, "Bad hostname in To header"}
	faultFromHeader    = fault{-24, "From header parse error"}
	faultFromHost      = fault{-25, "Bad hostname in From header"}
	faultContactHeader = fault{-26, "Contact header parse error"}
	faultURIUser       = fault{-27, "Bad URI username"}
	faultFromUser      = fault{-28, "Bad From URI username"}
	faultToUser        = fault{-29, "Bad To URI username"}
)

// needed are headers that a response has to have.
var needed = map[int]struct {
	header string
	fault  fault
}{
	401: {"WWW-Authenticate", faultWWWAuth}, 405: {"Allow", faultAllow}, 407: {"Proxy-Authenticate", faultProxyAuth},
	420: {"Unsupported", faultUnsupported}, 423: {"Min-Expires", faultMinExpires},
}

// validate builds sipmsg_validate(), which checks the message as it came.
func validate(a *script.Args) script.Action {
	flags, _ := a.Fixed(0)
	for _, f := range flags {
		if !strings.ContainsRune("shmrftc", f) {
			a.Errorf(0, "sipmsg_validate() has the flag %c: there are s h m r f t c", f)
			return nil
		}
	}
	v := validator{}
	for flag, on := range map[string]*bool{"s": &v.sdp, "h": &v.headers, "m": &v.noHops, "r": &v.uri, "f": &v.from, "t": &v.to, "c": &v.contact} {
		*on = strings.Contains(flags, flag)
	}
	reason := a.Setter(1)
	return func(m *script.Machine) int {
		f, ok := v.check(m)
		if ok {
			return 1
		}
		if reason != nil {
			reason(m, script.Text(m.KeepString(f.text)))
		}
		return f.code
	}
}

// validator is what sipmsg_validate() was asked to look at besides.
type validator struct{ sdp, headers, noHops, uri, from, to, contact bool }

// check gives the first fault of the message.
func (v *validator) check(m *script.Machine) (fault, bool) {
	msg := m.Message()
	for _, h := range [...]struct {
		kind sipframe.HeaderKind
		none fault
	}{
		{sipframe.HeaderCallID, faultCallID}, {sipframe.HeaderCSeq, faultCSeq}, {sipframe.HeaderFrom, faultFrom},
		{sipframe.HeaderTo, faultTo}, {sipframe.HeaderVia, faultVia},
	} {
		if len(msg.Value(h.kind)) == 0 {
			return h.none, false
		}
	}
	n, present, err := msg.ContentLength()
	switch {
	case err != nil, present && n != len(msg.Body()):
		return faultLength, false
	case !present && m.Context().Src.Proto != reactor.UDP:
		return faultNoLength, false
	case len(msg.Body()) > 0 && len(msg.Value(sipframe.HeaderContentType)) == 0:
		return faultContentType, false
	}
	if f, ok := v.checkKind(m); !ok {
		return f, false
	}
	if v.headers && !v.fieldsParse(msg) {
		return faultHeader, false
	}
	if f, ok := v.checkURIs(m); !ok {
		return f, false
	}
	if v.sdp && anySDP(m, func(sdp []byte) bool { return !goodSDP(sdp) }) {
		return faultSDP, false
	}
	return fault{}, true
}

// checkKind looks at what requests and responses have to have.
func (v *validator) checkKind(m *script.Machine) (fault, bool) {
	msg := m.Message()
	if !msg.IsRequest() {
		if want, ok := needed[msg.StatusCode()]; ok && msg.FindName([]byte(want.header)) < 0 {
			return want.fault, false
		}
		return fault{}, true
	}
	_, present, err := msg.MaxForwards()
	switch {
	case !v.noHops && (!present || err != nil):
		return faultMaxForwards, false
	case msg.Method() == sipframe.INVITE && len(msg.Value(sipframe.HeaderContact)) == 0:
		return faultContact, false
	case msg.Method() != sipframe.REGISTER && msg.Find(sipframe.HeaderPath) >= 0:
		return faultPath, false
	}
	return fault{}, true
}

// fieldsParse tells whether the values of the headers with addresses can be read.
func (v *validator) fieldsParse(msg *sipframe.Message) bool {
	var via sipframe.Via
	for it := msg.Values(sipframe.HeaderVia); ; {
		s, ok := it.Next()
		if !ok {
			break
		}
		if msg.ViaAt(s, &via) != nil {
			return false
		}
	}
	for _, kind := range [...]sipframe.HeaderKind{
		sipframe.HeaderContact, sipframe.HeaderRoute, sipframe.HeaderRecordRoute, sipframe.HeaderFrom, sipframe.HeaderTo, sipframe.HeaderReferTo,
	} {
		if !addressesParse(msg, kind) {
			return false
		}
	}
	_, _, err := msg.CSeq()
	return err == nil
}

func addressesParse(msg *sipframe.Message, kind sipframe.HeaderKind) bool {
	var a sipframe.NameAddr
	var u sipframe.URI
	for it := msg.Values(kind); ; {
		s, ok := it.Next()
		if !ok {
			return true
		}
		if msg.NameAddr(s, &a) != nil || !a.Star && sipframe.ParseURI(msg.Bytes(a.URI), &u) != nil {
			return false
		}
	}
}

// checkURIs looks at the URIs that were asked for.
func (v *validator) checkURIs(m *script.Machine) (fault, bool) {
	if v.uri && m.Message().IsRequest() {
		if f, ok := checkURI(m.Message().RequestURI(), faultURI, faultURIHost, faultURIUser); !ok {
			return f, false
		}
	}
	if v.from {
		var uri []byte
		if a, err := m.Message().From(); err == nil {
			uri = a.URI.In(m.Message().Raw())
		}
		if f, ok := checkURI(uri, faultFromHeader, faultFromHost, faultFromUser); !ok {
			return f, false
		}
	}
	if v.to {
		var uri []byte
		if a, err := m.Message().To(); err == nil {
			uri = a.URI.In(m.Message().Raw())
		}
		if f, ok := checkURI(uri, faultToHeader, faultToHost, faultToUser); !ok {
			return f, false
		}
	}
	if v.contact && !addressesParse(m.Message(), sipframe.HeaderContact) {
		return faultContactHeader, false
	}
	return fault{}, true
}

// checkURI looks at the host and the user of a URI; a tel URI has no host.
func checkURI(uri []byte, broken, host, user fault) (fault, bool) {
	var u sipframe.URI
	switch {
	case len(uri) == 0 || sipframe.ParseURI(uri, &u) != nil:
		return broken, false
	case u.Scheme != sipframe.SchemeSIP && u.Scheme != sipframe.SchemeSIPS:
		return fault{}, true
	case !goodHost(u.Host.In(uri)):
		return host, false
	case !goodUser(u.User.In(uri)):
		return user, false
	}
	return fault{}, true
}

// goodHost tells whether b is an address, or a name of letters, digits, hyphens
// and dots.
func goodHost(b []byte) bool {
	if len(b) > 0 && b[0] == '[' {
		a, err := netip.ParseAddr(string(bytes.Trim(b, "[]")))
		return err == nil && a.Is6()
	}
	for i, c := range b {
		if !isLetter(c) && !isDigit(c) && c != '-' && (c != '.' || i == 0 || b[i-1] == '.') {
			return false
		}
	}
	return len(b) > 0
}

// goodUser tells whether b has only what RFC 3261 25.1 allows in a user.
func goodUser(b []byte) bool {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case isLetter(c), isDigit(c), strings.IndexByte("-.!~*'()&=+$,;?/", c) >= 0:
		case c == '%' && i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

// goodSDP tells whether each line is one, and the session begins as RFC 8866 5
// wants: with v=, an o= and an s=.
func goodSDP(b []byte) bool {
	var version, origin, subject bool
	for first := true; len(b) > 0; first = false {
		var line []byte
		if line, b = body.Line(b); len(line) == 0 && len(b) == 0 {
			break
		}
		if len(line) < 2 || line[1] != '=' || !isLetter(line[0]) || first && line[0] != 'v' {
			return false
		}
		switch line[0] {
		case 'v':
			version = true
		case 'o':
			origin = true
		case 's':
			subject = true
		case 'm':
			if !goodMedia(line) {
				return false
			}
		}
	}
	return version && origin && subject
}

// goodMedia tells whether an m= line has a media, a port, a protocol and a
// format.
func goodMedia(line []byte) bool {
	fields := bytes.Fields(line)
	if len(fields) < 4 {
		return false
	}
	port, _, _ := bytes.Cut(fields[1], []byte{'/'})
	_, ok := sipframe.ParseUint(port, 65535)
	return ok
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
