package sipframe

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

// nameSlots maps hashes of long names to kinds, without a collision: the test
// of the table sees to that.
var nameSlots = func() (t [nameSlotCount]HeaderKind) {
	for k, n := range headerNames {
		if n.long != "" {
			t[nameSlot([]byte(n.long))] = HeaderKind(k)
		}
	}
	return t
}()

const nameSlotCount = 512

// nameSlot hashes a name of at least two bytes, letters in either case alike.
func nameSlot(b []byte) uint32 {
	n := len(b)
	h := uint32(b[0]|0x20)*7 ^ uint32(b[n-1]|0x20)*29 ^ uint32(b[n/2]|0x20)*59 ^ uint32(n)*101
	return h % nameSlotCount
}

// HeaderKindOf gives the kind with that name, in its long or compact form, of
// any case (RFC 3261 section 7.3.1 and 7.3.3).
func HeaderKindOf(name []byte) HeaderKind {
	switch {
	case len(name) == 0:
		return OtherHeader
	case len(name) == 1:
		if isAlpha(name[0]) {
			return compactKinds[name[0]|0x20-'a']
		}
		return OtherHeader
	}
	k := nameSlots[nameSlot(name)]
	if k != OtherHeader && EqualFold(name, headerNames[k].long) {
		return k
	}
	return OtherHeader
}

// SameHeaderName tells whether two names name the same header field: equal but
// for case, or one the compact form of the other.
func SameHeaderName(a, b []byte) bool {
	if k := HeaderKindOf(a); k != OtherHeader {
		return k == HeaderKindOf(b)
	}
	return EqualFoldBytes(a, b)
}
