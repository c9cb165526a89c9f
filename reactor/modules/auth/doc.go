// Package auth is the module auth: challenges, what all who check credentials have in common, and checking them against
// variables of the script (pv_www_authorize). Digest itself is package digest.
//
// Nothing is kept with a request: what a challenge or consume_credentials() wants to know, whether a nonce is one of ours
// and whether it is stale, the nonce tells.
//
// # Not as in OpenSIPS
//
//   - A nonce is used once, or with qop once a count, unless disable_nonce_check says otherwise.
//   - The uri of credentials is compared with the Request-URI (check_uri, ours); our own address counts as that.
//   - All credentials of a request are searched for the realm, not the first alone.
//   - stale=true is said of nonces that were ours, and of no others.
//   - Who guesses is refused: failures are counted by user and source address, and by source address (guess_limit,
//     guess_source_limit, guess_window, ours). A user is locked out for the addresses that guess, and for no others: the
//     address is the one that the nonce was handed to, so nobody locks out another by forging where he is.
package auth
