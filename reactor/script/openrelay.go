package script

// noteOpenRelays notes each function that sends a request on and that a request can reach
// without anything having been asked about where it comes from or where it goes:
// whoever can send to us then has us send anywhere, loopback services included.
//
// What counts as asking is a call of guards, or a comparison with something other
// than NULL, of a variable of guardVariables or of one that was assigned from
// those; in an if, a while or a switch, also in a route that was called before, on
// every way to where it leaves. Whether the answer is heeded is not looked at, but that
// a destination is none of ours allows nothing: see domains.
// loose_route() and has_totag() ask nothing: anybody can invent a Route and a tag;
// whether a dialog or a transaction knows the request is asking.
// A REGISTER is let pass: most scripts ask about all others, and it reaches a registrar or
// nothing.
// A destination that is ours needs no question: a constant of the script, what the
// script has from tables, or what lookup() and its kind have found, unless
// loose_route() or the script has changed it since.
//
// A failure_route and a branch_route begin with a request that was let through: what
// they send is noted where they have changed its destination for one of the message.
func (k *compiler) noteOpenRelays() {
	w := relayWalk{
		k: k, named: make(map[string]*routeItem), derived: make(map[string]bool), given: make(map[string]bool),
		told: make(map[Pos]bool), known: make(map[relayVisit]answers),
	}
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok && r.Kind == RequestRoute && r.Name != "" {
			w.named[r.Name] = r
		}
	}
	for changed := true; changed; { // $var(a) = $ru; $var(b) = $var(a)
		before := len(w.derived) + len(w.given)
		for _, item := range k.file.Items {
			if r, ok := item.(*routeItem); ok {
				w.derive(r.Body)
			}
		}
		changed = len(w.derived)+len(w.given) > before
	}
	for _, item := range k.file.Items {
		if r, ok := item.(*routeItem); ok {
			w.begin(r)
		}
	}
}

// begin walks a route that messages come to by themselves.
func (w *relayWalk) begin(r *routeItem) {
	passed := relayState{alive: true, ours: true, uri: true}
	switch r.Kind {
	case RequestRoute:
		if r.Name == "" {
			w.route(r, relayState{alive: true})
		}
	case ErrorRoute:
		w.route(r, relayState{alive: true})
	case FailureRoute:
		w.route(r, passed)
	case BranchRoute:
		w.leaves(r.At, r.Kind.String(), w.route(r, passed).either())
	default: // no request goes on from there
	}
}

// relayState is what is known where a statement begins, on every way there.
type relayState struct {
	alive bool // it can be reached
	asked bool // about source, destination or dialog
	ours  bool // where it would go is for the script or its tables to say, not for the message
	safe  bool // asked or ours, on one way the one and on another the other
	uri   bool // the same for the Request-URI alone
	hop   bool // $du may be set
	route bool // loose_route() may have set it
}

// meet is what is known where two ways come together.
func (s relayState) meet(o relayState) relayState {
	switch {
	case !s.alive:
		return o
	case !o.alive:
		return s
	}
	return relayState{
		alive: true, asked: s.asked && o.asked, ours: s.ours && o.ours, safe: s.isSafe() && o.isSafe(),
		uri: s.uri && o.uri, hop: s.hop || o.hop, route: s.route || o.route,
	}
}

func (s relayState) isSafe() bool { return s.asked || s.ours || s.safe }

// uriSet is the state behind a change of the Request-URI.
func (s relayState) uriSet(ours bool) relayState {
	s.uri = ours
	if !s.hop {
		s.ours, s.safe = ours, false
	}
	return s
}

// hopSet is the state behind a change of $du.
func (s relayState) hopSet(ours bool) relayState {
	s.hop, s.route, s.ours, s.safe = true, false, ours, false
	return s
}

// hopGone is the state behind $du = NULL.
func (s relayState) hopGone() relayState {
	s.hop, s.route, s.ours, s.safe = false, false, s.uri, false
	return s
}

// answers is what is known behind a function or route that says yes, and behind one that
// says no.
type answers struct{ yes, no relayState }

func (a answers) either() relayState { return a.yes.meet(a.no) }

type relayVisit struct {
	route *routeItem
	from  relayState
}

type relayWalk struct {
	k       *compiler
	named   map[string]*routeItem
	derived map[string]bool // script variables that come from guardVariables, as written without index and transformations
	given   map[string]bool // script variables that come from messages
	told    map[Pos]bool
	known   map[relayVisit]answers
	returns answers    // of the route that is walked
	breaks  relayState // of the loop or switch
	loops   int        // that the walk is within
	quiet   bool       // a first round of a loop: what leaves is noted in the last one
}

// leaves notes a request that goes on with nothing asked before.
func (w *relayWalk) leaves(at Pos, name string, s relayState) {
	if w.quiet || !s.alive || s.isSafe() || w.told[at] {
		return
	}
	w.told[at] = true
	dialog := ""
	if s.route {
		dialog = ", or whether a dialog is known (validate_dialog(), $DLG_status), as a To tag and a Route are soon invented"
	}
	w.k.rep.warnf(at, "%s sends anything from anybody to anywhere: nothing before it asks where a request comes from "+
		"(is_peer_verified(), $si) or goes to (is_myself(), $rd, $du)%s", name, dialog)
}
