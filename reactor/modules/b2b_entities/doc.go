// Package b2b_entities is OpenSIPS' module b2b_entities: sessions in which this server
// is the user agent itself, server or client. The script and management begin, answer, change and
// end them; what the other party does is told by the event E_UA_SESSION.
//
// A session belongs to nobody but its mutex: messages of it come on any worker, and what the
// script does to it too. Its key is our tag of the dialog, which is how later requests
// find it before the routes do. Transactions are tm's: the session knows those that wait
// for an answer of ours by their handles.
//
// A module above, b2b_logic, is the Owner of its sessions: it is told instead of the script.
//
// Challenges of the other party to our INVITE are answered where module uac_auth has the credentials. Sessions live in memory.
package b2b_entities
