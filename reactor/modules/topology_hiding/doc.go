// Package topology_hiding is OpenSIPS' module topology_hiding, on dialogs: who is on one side of a call learns nothing of
// the way to the other.
//
// topology_hiding() has an INVITE leave without the Via and Record-Route headers that it came with and with a Contact of
// ours, which names the dialog. They are put back in responses, whose own ones go the same way. A later request comes to our
// Contact: topology_hiding_match() finds its dialog, and has it go to the target and by the routes of the other side.
//
// Via and Record-Route are kept with the transaction, targets and routes with the dialog, which is made if there is none.
// Contacts of redirects (3xx) stay: they are what is asked for. What is not here is an error at load: hiding without
// dialogs, and the flags a and A. With the flag C the callee sees another Call-ID; in its requests and responses $ci is that one.
package topology_hiding
