// Package b2b_logic is OpenSIPS' module b2b_logic: a back-to-back user agent. A call is two sessions of
// b2b_entities, its legs, and what one party says is said to the other: by itself in the scenario "top hiding", and
// in others as the script's routes for requests and responses have it.
//
//	caller ──INVITE──► server leg │ client leg ──INVITE──► callee
//	       ◄──200, …──            │            ◄──200, …──
//
// # Bridging
//
// b2b_bridge() joins a leg that is answered with a new one. The leg is asked for an offer by an INVITE without a body; that goes
// to the new party, whose answer goes back in the leg's ACK. The leg that was there before is ended once the new one has
// answered, or with its refusal all is as it was (rollback-failed), or the call is over.
//
// # Who owns what
//
// A call is guarded by its lock, which is not held while anything is sent. Calls are in memory and
// handed on at a reload.
package b2b_logic
