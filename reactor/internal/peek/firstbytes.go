package peek

import (
	"bytes"
	"hash/maphash"
)

// IsResponse reports whether a message is a response, by its first bytes.
func IsResponse(m []byte) bool {
	return len(m) > 8 && m[0]|0x20 == 's' && m[1]|0x20 == 'i' && m[2]|0x20 == 'p' && m[3] == '/'
}

// IsFinal reports whether a response is a final one.
func IsFinal(response []byte) bool { return response[8] >= '2' && response[8] <= '6' }

// IsACK reports whether a message is an ACK: the one request that has no response.
func IsACK(m []byte) bool { return len(m) > 4 && string(m[:4]) == "ACK " }

var branchSeed = maphash.MakeSeed()

// BranchKey is what a request and its responses have in common, by hash: the branch of their topmost Via. A CANCEL has
// that of its INVITE, and each of them its response. It is 0 where there is none to be seen by a peek: in a folded Via,
// or that of a client older than RFC 3261.
func BranchKey(m []byte) uint32 {
	const param = "branch="
	m = m[bytes.IndexByte(m, '\n')+1:]
	i := bytes.Index(m, []byte(param))
	if i < 0 || m[bytes.LastIndexByte(m[:i], '\n')+1]|0x20 != 'v' {
		return 0
	}
	m = m[i+len(param):]
	end := 0
	for end < len(m) && m[end] > ' ' && m[end] != ';' && m[end] != ',' {
		end++
	}
	return uint32(maphash.Bytes(branchSeed, m[:end])) | 1
}
