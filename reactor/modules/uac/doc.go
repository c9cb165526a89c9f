// Package uac is OpenSIPS' module uac: other parties in From and To, put back in what
// goes the other way, and answers to challenges of servers behind this one.
//
// Where From or To is replaced, responses get the client's back (restore_mode manual
// and auto). With auto, requests in the dialog do, too: a parameter of our Record-Route
// carries both URIs, masked; with restore_passwd it is encrypted and authenticated, and one
// that was tampered with changes nothing. The same parameter's kind carries by how much CSeq
// differs after uac_auth(). Keeping that in a dialog instead is the module dialog's.
package uac
