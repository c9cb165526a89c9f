// Package topology_hiding is OpenSIPS' module topology_hiding: who is on one side of a call learns nothing of the way to the
// other.
//
// topology_hiding() has a request leave without the Via and Record-Route headers that it came with and with a Contact of
// ours. They are put back in responses, whose own ones go the same way. A later request comes to our Contact:
// topology_hiding_match() has it go to the target and by the routes of the other side.
//
// With a dialog, that of create_dialog() or with force_dialog one that is made, our Contact names it (did), and targets and
// routes are kept there; with the flag C the callee sees another Call-ID, and in its requests and responses $ci is that one. Who names the call in Replaces, Join, Target-Dialog or, in a Refer-To, in
// the Replaces of another, is understood by the other side: that name is translated likewise.
// Without a dialog, which is for any method, our Contact carries them itself (thinfo): encrypted and authenticated together
// with the Call-ID, by a secret that nodes share. The flags C, D, a and A are for dialogs.
//
// Via and Record-Route are kept with the transaction. Contacts of 3xx and 485 stay: they say where else to go. In any other
// response they are ours.
package topology_hiding
