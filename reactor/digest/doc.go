// Package digest is SIP's Digest authentication, both sides of it (RFC 3261 22, RFC 7616, RFC 8760): challenges,
// credentials, responses and nonces, without messages and without users.
//
// A server gives a challenge with [AppendChallenge] and a nonce of its [Nonces], reads what comes with
// [ParseCredentials], looks at the nonce ([Nonces.Check]), compares the response ([Credentials.Matches]) and then uses the
// nonce up ([Nonces.Use]), in this order: a response that is wrong uses up nothing. A client reads a challenge with
// [ParseChallenge] and answers with [Challenge.Answer].
//
// Parsed values are views into the input. Responses are compared in constant time.
package digest
