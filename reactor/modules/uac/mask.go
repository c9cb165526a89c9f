package uac

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// maxURI bounds the URIs that a Record-Route parameter carries.
const maxURI = 255

var (
	errLong  = errors.New("the URI is too long to be kept in the Record-Route")
	errValue = errors.New("the parameter is none of ours")
)

// The parameter is base64url of: the longer one's length of bytes of one URI xor the
// other, and behind it 8 bytes that authenticate it. Either URI gives the other one. With a
// password the bytes are xored with a key stream of the password and the Call-ID, too.

// macLen are the bytes that authenticate a parameter.
const macLen = 8

// mask writes the parameter's value for two URIs.
func mask(password, callID, a, b []byte) (string, error) {
	if len(a) > maxURI || len(b) > maxURI {
		return "", errLong
	}
	raw := xor(a, b)
	raw = xor(raw, stream(password, callID, len(raw)))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac(password, callID, raw)...)), nil
}

// unmask gives the other URI.
func unmask(password, callID []byte, value string, one []byte) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	n := len(raw) - macLen
	if err != nil || n < 1 || n > maxURI || len(one) > n {
		return nil, errValue
	}
	if !hmac.Equal(raw[n:], mac(password, callID, raw[:n])) {
		return nil, errValue
	}
	other := xor(xor(raw[:n], stream(password, callID, n)), one)
	for len(other) > 0 && other[len(other)-1] == 0 {
		other = other[:len(other)-1]
	}
	if len(other) == 0 {
		return nil, errValue
	}
	return other, nil
}

// xor gives the bytes of one with those of the other, as long as the longer one.
func xor(a, b []byte) []byte {
	out := make([]byte, max(len(a), len(b)))
	copy(out, a)
	for i, c := range b {
		out[i] ^= c
	}
	return out
}

// stream gives n bytes that only who knows the password can make; zeros without one.
func stream(password, callID []byte, n int) []byte {
	if len(password) == 0 {
		return nil
	}
	var out []byte
	for i := byte(0); len(out) < n; i++ {
		out = append(out, sum(password, []byte{'s', i}, callID)...)
	}
	return out[:n]
}

func mac(password, callID, raw []byte) []byte {
	return sum(password, []byte{'m'}, callID, []byte{0}, raw)[:macLen]
}

func sum(password []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, password)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
