package rpc

import "encoding/json"

const (
	// MaxRequest is the size, in bytes, that a request may have on every
	// transport.
	MaxRequest = 64 << 10
	// MaxBatch is how many requests one batch may hold.
	MaxBatch = 64
)

// NewRequest returns the request for a command. params is nil, or becomes an array or
// an object.
func NewRequest(method string, params any) ([]byte, error) {
	o := Object{{"jsonrpc", "2.0"}, {"method", method}}
	if params != nil {
		o = append(o, Field{"params", params})
	}
	return appendJSON(nil, append(o, Field{"id", 1}))
}

// request is a request object, taken apart.
type request struct {
	method       string
	params       json.RawMessage // nil: none
	id           json.RawMessage // never nil
	notification bool
}

// readRequest takes a request object apart. Members are compared with case, as
// the standard has it.
func readRequest(message json.RawMessage) (r request, bad *Error) {
	r.id = noID
	var members map[string]json.RawMessage
	if message[0] != '{' || json.Unmarshal(message, &members) != nil {
		return r, badRequest("a request is an object")
	}
	id, has := members["id"]
	r.notification = !has
	if has {
		if c := id[0]; c != '"' && c != 'n' && c != '-' && (c < '0' || c > '9') {
			return r, badRequest("id is neither a string nor a number")
		}
		r.id = id
	}
	var version string
	if json.Unmarshal(members["jsonrpc"], &version) != nil || version != "2.0" {
		return r, badRequest(`jsonrpc is not "2.0"`)
	}
	method := members["method"]
	if len(method) == 0 || method[0] != '"' || json.Unmarshal(method, &r.method) != nil {
		return r, badRequest("method is not a string")
	}
	r.params = members["params"]
	if r.params != nil && r.params[0] == 'n' {
		r.params = nil
	}
	if r.params != nil && r.params[0] != '[' && r.params[0] != '{' {
		return r, badRequest("params is neither an array nor an object")
	}
	return r, nil
}

// TooLarge is the answer to a request that is not even read.
func TooLarge() []byte {
	return answer(noID, nil, badRequest("the request is larger than %d bytes", MaxRequest))
}
