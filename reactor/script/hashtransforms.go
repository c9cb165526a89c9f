package script

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // a checksum that scripts ask for by name
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"strconv"
)

// hashTransforms are those of class s that make checksums.
func hashTransforms() map[string]*transformSpec {
	specs := map[string]*transformSpec{
		"s.crc32": plain(func(m *Machine, b []byte) Value {
			from := len(m.arena)
			m.arena = strconv.AppendUint(m.arena, uint64(crc32.ChecksumIEEE(b)), 10)
			return Text(m.arena[from:len(m.arena):len(m.arena)])
		}),
	}
	for name, made := range map[string]func() hash.Hash{
		"sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	} {
		specs["s."+name] = plain(func(m *Machine, b []byte) Value { return m.digest(made(), b) })
		specs["s."+name+"_hmac"] = withName(func(m *Machine, b, key []byte) Value { return m.digest(hmac.New(made, key), b) })
	}
	return specs
}

// digest gives the hash of b in hexadecimal.
func (m *Machine) digest(h hash.Hash, b []byte) Value {
	h.Write(b)
	var sum [sha512.Size]byte
	from := len(m.arena)
	m.arena = hex.AppendEncode(m.arena, h.Sum(sum[:0]))
	return Text(m.arena[from:len(m.arena):len(m.arena)])
}
