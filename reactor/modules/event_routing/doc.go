// Package event_routing is OpenSIPS' module event_routing: the script waits for an event,
// or has a route run for each event of a time, by filters over the event's parameters.
//
//	$avp(filter) = "aor=" + $rU;
//	t_newtran(); t_wait_for_new_branches();
//	notify_on_event("E_UL_CONTACT_INSERT", $avp(filter), "fork_call", 20);
//
// The route has the event's parameters as AVPs and nothing of the message that asked for
// it, but for its transaction: t_inject_branches() sends further branches there.
//
// Routes run one after the other in a goroutine of the module's, behind a queue of 1,024
// events; what has no room there is counted and left out. wait_for_event() holds no
// worker while it waits.
package event_routing
