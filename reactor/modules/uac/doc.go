// Package uac is OpenSIPS' module uac: other parties in From and To, put back in what
// goes the other way, and answers to challenges of servers behind this one.
//
// Where From or To is replaced, responses get the client's back (restore_mode manual
// and auto). With auto, requests in the dialog do, too: by the dialog, where the call has one
// when they are replaced (create_dialog(), or force_dialog), else by a parameter of our
// Record-Route, which carries both URIs, masked; with restore_passwd it is encrypted and
// authenticated, and one that was tampered with changes nothing. What a branch_route replaces
// is always kept there, since branches may differ. The same parameter's kind carries by how
// much CSeq differs after uac_auth().
package uac
