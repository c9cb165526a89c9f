// Package uac_redirect is OpenSIPS' module uac_redirect: in a failure_route the contacts
// of 3xx responses become where the request goes next.
//
//	failure_route[moved] {
//		if (t_check_status("3[0-9][0-9]") && get_redirects("3:1")) t_relay();
//	}
//
// The contacts of a branch go by their q, and no contact is taken twice, or where the
// request went before. The first one is the Request-URI, the others are branches. A
// contact that is no SIP URI is passed over.
package uac_redirect
