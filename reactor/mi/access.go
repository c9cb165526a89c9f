package mi

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// ParseAllow reads a list of addresses and networks, such as "192.0.2.0/24" and
// "2001:db8::1".
func ParseAllow(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("mi: %q is neither an address nor a network", s)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// admits tells whether a peer may speak: one on the list, or without a list one
// on loopback.
func admits(list []netip.Prefix, peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	if len(list) == 0 {
		return peer.IsLoopback()
	}
	for _, p := range list {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// guard lets those requests through that may speak to us.
type guard struct {
	allow          []netip.Prefix
	token          *digest  // nil = none
	user, password *digest  // nil = none
	challenge      []string // what whoever knows nothing is told to send
	loopback       bool     // we listen on loopback
	// sameOrigin refuses what the page of another site makes a browser send.
	sameOrigin *http.CrossOriginProtection
	// open serves what needs no token, next everything else.
	open *http.ServeMux
	next http.Handler
}

func newGuard(cfg *HTTPConfig, loopback bool, open *http.ServeMux, next http.Handler) *guard {
	g := &guard{allow: cfg.Allow, loopback: loopback, sameOrigin: http.NewCrossOriginProtection(), open: open, next: next}
	if cfg.Token != "" {
		g.token = sum(cfg.Token)
	}
	if cfg.Password != "" {
		g.user, g.password = sum(cfg.User), sum(cfg.Password)
	}
	realm := strconv.Quote(cfg.Realm)
	g.challenge = []string{"Bearer realm=" + realm, "Basic realm=" + realm + `, charset="UTF-8"`}
	return g
}

// digest is a secret as it is compared: whatever the lengths, it takes as long.
type digest [sha256.Size]byte

func sum(s string) *digest {
	d := digest(sha256.Sum256([]byte(s)))
	return &d
}

// is reports whether a text is the secret; never for none.
func (d *digest) is(s string) bool {
	if d == nil {
		return false
	}
	other := sum(s)
	return subtle.ConstantTimeCompare(d[:], other[:]) == 1
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	switch {
	case err != nil || !admits(g.allow, peer.Addr()):
		http.Error(w, "your address may not speak here", http.StatusForbidden)
	case g.loopback && !localHost(r.Host):
		// A name that somebody's DNS turned to 127.0.0.1 is his site, not ours.
		http.Error(w, "this host is reached as localhost or by its address", http.StatusForbidden)
	case g.sameOrigin.Check(r) != nil:
		http.Error(w, "requests from pages of other sites are refused", http.StatusForbidden)
	case r.Method == http.MethodPost && fromBrowser(r) && !isJSON(r):
		// A form or a text is what a page can send elsewhere without asking.
		http.Error(w, "a browser sends requests as application/json", http.StatusUnsupportedMediaType)
	case g.opens(r):
		g.open.ServeHTTP(w, r)
	case !g.knows(r):
		w.Header()["Www-Authenticate"] = g.challenge
		if byScript(r) {
			w.Header()["Www-Authenticate"] = g.challenge[:1] // the page asks, not the browser
		}
		http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
	default:
		proven(r)
		g.next.ServeHTTP(w, r)
	}
}

// opens tells whether a request needs no token.
func (g *guard) opens(r *http.Request) bool {
	_, pattern := g.open.Handler(r)
	return pattern != ""
}

// fromBrowser tells whether a browser says that a page made it send the request.
// Other programs need not name what they send: curl -d calls it a form.
func fromBrowser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// byScript reports whether a page's script sends the request, and no user who
// typed an address.
func byScript(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode != "" && mode != "navigate"
}

// shows reports whether a request shows what is asked for, where something is: who shows
// nothing where nothing is asked for is a stranger to those who decide about places.
func (g *guard) shows(r *http.Request) bool {
	return (g.token != nil || g.password != nil) && g.knows(r)
}

// knows reports whether a request brings what is asked for, if anything is: the
// token, or the password and its user. It takes a time that tells nothing.
func (g *guard) knows(r *http.Request) bool {
	if g.token == nil && g.password == nil {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok {
		return g.token.is(password) || g.user.is(user) && g.password.is(password)
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	return strings.EqualFold(scheme, "Bearer") && (g.token.is(secret) || g.password.is(secret))
}

// localHost tells whether a Host header is localhost or an address.
func localHost(host string) bool {
	if _, err := netip.ParseAddrPort(host); err == nil {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	name, _, _ := strings.Cut(host, ":")
	return strings.EqualFold(name, "localhost") || host == "" // HTTP/1.0 needs none
}
