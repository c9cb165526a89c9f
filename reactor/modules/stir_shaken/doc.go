// Package stir_shaken is OpenSIPS' module stir_shaken: who calls is vouched for by a signature in the Identity header
// (RFC 8224, RFC 8225, RFC 8588).
//
// A script brings certificates and keys as PEM texts. stir_shaken_auth() signs, stir_shaken_verify() looks at the
// signature, at the numbers, at the time, and at who has issued the certificate: ca_list and ca_dir, without which
// nobody is trusted. The signature counts over the text that was sent; that its numbers are those of the call is
// looked at besides.
//
// # Not as in OpenSIPS
//
// A Date that is further ahead than verify_date_freshness is as wrong as one that is older. Of several Identity headers
// the first with ppt=shaken counts. stir_shaken_auth() takes an eighth argument that gets the header line, which is not
// added to the message then.
package stir_shaken
