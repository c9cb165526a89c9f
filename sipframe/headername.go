package sipframe

import "encoding/binary"

// HeaderKind is a header field that is known by name, long or compact.
type HeaderKind uint8

// The kinds. OtherHeader is any name besides them.
const (
	OtherHeader HeaderKind = iota
	HeaderVia
	HeaderFrom
	HeaderTo
	HeaderCallID
	HeaderCSeq
	HeaderMaxForwards
	HeaderRoute
	HeaderRecordRoute
	HeaderContact
	HeaderContentLength
	HeaderContentType
	HeaderContentEncoding
	HeaderRequire
	HeaderProxyRequire
	HeaderSupported
	HeaderUnsupported
	HeaderExpires
	HeaderEvent
	HeaderAllow
	HeaderAllowEvents
	HeaderAccept
	HeaderUserAgent
	HeaderServer
	HeaderSubject
	HeaderDate
	HeaderReferTo
	HeaderReferredBy
	HeaderSessionExpires
	HeaderMinSE
	HeaderAuthorization
	HeaderProxyAuthorization
	HeaderWWWAuthenticate
	HeaderProxyAuthenticate
	HeaderPath
	HeaderServiceRoute
	HeaderRSeq
	HeaderRAck
	HeaderRetryAfter
	HeaderWarning
	HeaderReason
	HeaderReplaces
	HeaderPrivacy
	HeaderPAssertedIdentity
	HeaderPPreferredIdentity
	HeaderDiversion
	HeaderHistoryInfo
	HeaderIdentity
	HeaderIdentityInfo
	HeaderAcceptContact
	HeaderRejectContact
	HeaderRequestDisposition
	numHeaderKinds
)

// headerNames has the usual spelling of each kind, and its compact form if
// there is one (registry of IANA; RFC 3261 section 20 and later RFCs).
var headerNames = [numHeaderKinds]struct {
	long    string
	compact byte
}{
	HeaderVia:                {"Via", 'v'},
	HeaderFrom:               {"From", 'f'},
	HeaderTo:                 {"To", 't'},
	HeaderCallID:             {"Call-ID", 'i'},
	HeaderCSeq:               {"CSeq", 0},
	HeaderMaxForwards:        {"Max-Forwards", 0},
	HeaderRoute:              {"Route", 0},
	HeaderRecordRoute:        {"Record-Route", 0},
	HeaderContact:            {"Contact", 'm'},
	HeaderContentLength:      {"Content-Length", 'l'},
	HeaderContentType:        {"Content-Type", 'c'},
	HeaderContentEncoding:    {"Content-Encoding", 'e'},
	HeaderRequire:            {"Require", 0},
	HeaderProxyRequire:       {"Proxy-Require", 0},
	HeaderSupported:          {"Supported", 'k'},
	HeaderUnsupported:        {"Unsupported", 0},
	HeaderExpires:            {"Expires", 0},
	HeaderEvent:              {"Event", 'o'},
	HeaderAllow:              {"Allow", 0},
	HeaderAllowEvents:        {"Allow-Events", 'u'},
	HeaderAccept:             {"Accept", 0},
	HeaderUserAgent:          {"User-Agent", 0},
	HeaderServer:             {"Server", 0},
	HeaderSubject:            {"Subject", 's'},
	HeaderDate:               {"Date", 0},
	HeaderReferTo:            {"Refer-To", 'r'},
	HeaderReferredBy:         {"Referred-By", 'b'},
	HeaderSessionExpires:     {"Session-Expires", 'x'},
	HeaderMinSE:              {"Min-SE", 0},
	HeaderAuthorization:      {"Authorization", 0},
	HeaderProxyAuthorization: {"Proxy-Authorization", 0},
	HeaderWWWAuthenticate:    {"WWW-Authenticate", 0},
	HeaderProxyAuthenticate:  {"Proxy-Authenticate", 0},
	HeaderPath:               {"Path", 0},
	HeaderServiceRoute:       {"Service-Route", 0},
	HeaderRSeq:               {"RSeq", 0},
	HeaderRAck:               {"RAck", 0},
	HeaderRetryAfter:         {"Retry-After", 0},
	HeaderWarning:            {"Warning", 0},
	HeaderReason:             {"Reason", 0},
	HeaderReplaces:           {"Replaces", 0},
	HeaderPrivacy:            {"Privacy", 0},
	HeaderPAssertedIdentity:  {"P-Asserted-Identity", 0},
	HeaderPPreferredIdentity: {"P-Preferred-Identity", 0},
	HeaderDiversion:          {"Diversion", 0},
	HeaderHistoryInfo:        {"History-Info", 0},
	HeaderIdentity:           {"Identity", 'y'},
	HeaderIdentityInfo:       {"Identity-Info", 'n'},
	HeaderAcceptContact:      {"Accept-Contact", 'a'},
	HeaderRejectContact:      {"Reject-Contact", 'j'},
	HeaderRequestDisposition: {"Request-Disposition", 'd'},
}

// String gives the usual spelling, "" for OtherHeader.
func (k HeaderKind) String() string {
	if k < numHeaderKinds {
		return headerNames[k].long
	}
	return ""
}

// Compact gives the one-letter form, 0 if the kind has none.
func (k HeaderKind) Compact() byte {
	if k < numHeaderKinds {
		return headerNames[k].compact
	}
	return 0
}

// compactKinds maps the letter of a compact form, minus 'a', to its kind.
var compactKinds = func() (t [26]HeaderKind) {
	for k, n := range headerNames {
		if n.compact != 0 {
			t[n.compact-'a'] = HeaderKind(k)
		}
	}
	return t
}()

// HeaderKindOf gives the kind with that name, in its long or compact form, of
// any case (RFC 3261 sections 7.3.1 and 7.3.3).
func HeaderKindOf(name []byte) HeaderKind {
	if len(name) < 2 {
		if len(name) == 1 && isAlpha(name[0]) {
			return compactKinds[name[0]|0x20-'a']
		}
		return OtherHeader
	}
	first, last := nameWords(name)
	if n := &longNames[nameSlot(first, last)]; n.is(name, first, last) {
		return n.kind
	}
	return OtherHeader
}

// longName is a header name made ready to be compared eight bytes at a time.
type longName struct {
	first, last        uint64 // nameWords of the name in lower case
	fold1, fold2       uint64 // 0x20 where first and last have a letter
	middle, foldMiddle uint64 // bytes 8 to 15 of a name of more than 16
	len                uint8
	kind               HeaderKind
}

// is tells whether name, with its nameWords, is the long name in any case. Only
// letters are folded: "Content_Length" is no Content-Length.
func (n *longName) is(name []byte, first, last uint64) bool {
	return len(name) == int(n.len) && first|n.fold1 == n.first && last|n.fold2 == n.last &&
		(n.len <= 16 || binary.LittleEndian.Uint64(name[8:])|n.foldMiddle == n.middle)
}

// nameWords gives the first and the last bytes of a name of at least two; they
// overlap when it has less than 16. With its length they make up the name.
func nameWords(b []byte) (first, last uint64) {
	n := len(b)
	switch {
	case n >= 8:
		return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32, 0
	default:
		return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[n-1])<<16, 0
	}
}

// nameSlot hashes a name by its nameWords, upper and lower case alike.
func nameSlot(first, last uint64) uint8 {
	const (
		lower = 0x2020202020202020
		// Found by trying: no two of the names share a slot. A test holds that.
		factor = 0xd3fdfa4bc5726105
	)
	return uint8(((first | lower) ^ (last|lower)>>7) * factor >> 57)
}

// longNames has each name in its nameSlot.
var longNames = func() (t [128]longName) {
	for k, n := range headerNames {
		if n.long == "" {
			continue
		}
		name, fold := make([]byte, len(n.long)), make([]byte, len(n.long))
		for i := range len(n.long) {
			name[i] = lower(n.long[i])
			if isAlpha(name[i]) {
				fold[i] = 0x20
			}
		}
		l := longName{len: uint8(len(name)), kind: HeaderKind(k)}
		l.first, l.last = nameWords(name)
		l.fold1, l.fold2 = nameWords(fold)
		if l.len > 16 {
			l.middle = binary.LittleEndian.Uint64(name[8:])
			l.foldMiddle = binary.LittleEndian.Uint64(fold[8:])
		}
		t[nameSlot(l.first, l.last)] = l
	}
	return t
}()

// SameHeaderName tells whether two names name the same header field: equal but
// for case, or one the compact form of the other.
func SameHeaderName(a, b []byte) bool {
	if k := HeaderKindOf(a); k != OtherHeader {
		return k == HeaderKindOf(b)
	}
	return EqualFoldBytes(a, b)
}
