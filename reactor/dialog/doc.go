// Package dialog keeps the calls that pass a proxy (RFC 3261 12): their state, who takes part, what a script keeps with
// them, and the profiles that count them. It sends nothing and reads no message: module dialog tells it what was seen, and
// does what is due.
//
// A [Table] finds a [Dialog] by its ID, which peers bring back in a Record-Route parameter and which carries a MAC, or by
// Call-ID and tags.
//
//	Unconfirmed ── 1xx with a tag ──► Early ── 2xx ──► Answered ── ACK ──► Confirmed
//	     │                             │ │                │                    │
//	     └── 2xx ──────────────────────┼─┼──► Answered    │                    │
//	     └── 300-699, timeout ─────────┴─┴──► Ended ◄─────┴── BYE, timeout ────┘
//
// # Who owns what
//
// Each Dialog has a lock of its own, held by its methods and never while anything is called or sent. The table's indexes
// have locks of theirs. Lock order: dialog -> index, dialog -> profile. Notify is called with no lock held.
//
// # Time
//
// Times are unix seconds that the caller gives. Table.Expire tells which dialogs are due; an ended one is kept for a few
// seconds, so that what is late still finds it.
package dialog
