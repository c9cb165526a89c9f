package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Codes of errors, as JSON-RPC 2.0 section 5.1 and OpenSIPS number them.
const (
	CodeParse         = -32700 // the request is no JSON
	CodeRequest       = -32600 // it is JSON, and no request
	CodeMethod        = -32601 // there is no such command
	CodeParams        = -32602 // the parameters are not the command's
	CodeInternal      = -32603 // a fault of ours
	CodeNotFound      = 404    // what a command was asked for is not there
	CodeCommandFailed = 500    // the command was understood and not carried out
)

// Error is an error as it is answered. Commands return it for what they refuse.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	// Data says more about the cause; nil = nothing.
	Data any `json:"data,omitempty"`
}

// Error gives the message, with Data after it.
func (e *Error) Error() string {
	if e.Data == nil {
		return fmt.Sprintf("%s (%d)", e.Message, e.Code)
	}
	return fmt.Sprintf("%s: %v (%d)", e.Message, e.Data, e.Code)
}

// Failed is the Error of a command that was understood and not carried out.
func Failed(message string, data any) *Error {
	return &Error{Code: CodeCommandFailed, Message: message, Data: data}
}

// BadParams says what is wrong with the parameters.
func BadParams(format string, args ...any) *Error {
	return &Error{Code: CodeParams, Message: "Invalid params", Data: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *Error {
	return &Error{Code: CodeRequest, Message: "Invalid Request", Data: fmt.Sprintf(format, args...)}
}

// Field is one member of an Object.
type Field struct {
	Name  string
	Value any
}

// Object is a JSON object whose members stay in order, and whose names may
// repeat: OpenSIPS does both.
type Object []Field

// Get gives the first member of that name, nil if there is none.
func (o Object) Get(name string) any {
	for _, f := range o {
		if f.Name == name {
			return f.Value
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range o {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendJSON(b, f.Name); err != nil {
			return nil, err
		}
		b = append(b, ':')
		if b, err = appendJSON(b, f.Value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendJSON appends v without the escapes that only HTML needs, and with those of
// DEL and C1, which terminals obey: an answer is read on one.
func appendJSON(b []byte, v any) ([]byte, error) {
	from, w := len(b), bytes.NewBuffer(b)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return b, err
	}
	all := bytes.TrimSuffix(w.Bytes(), []byte{'\n'})
	if bytes.IndexFunc(all[from:], isHighControl) < 0 && utf8.Valid(all[from:]) {
		return all, nil
	}
	safe := append([]byte(nil), all[:from]...)
	for _, r := range string(all[from:]) {
		if isHighControl(r) {
			safe = fmt.Appendf(safe, `\u%04x`, r)
		} else {
			safe = utf8.AppendRune(safe, r)
		}
	}
	return safe, nil
}

// isHighControl reports whether a rune is DEL or one of C1: the control characters
// that JSON lets stand in strings.
func isHighControl(r rune) bool { return 0x7f <= r && r <= 0x9f }

// noID is the id of an answer to what has none.
var noID = json.RawMessage("null")

// answer writes one response, its members in OpenSIPS' order.
func answer(id json.RawMessage, result any, failure *Error) []byte {
	b := []byte(`{"jsonrpc":"2.0",`)
	if failure == nil {
		with, err := appendJSON(append(b, `"result":`...), result)
		if err == nil {
			b = with
		} else {
			failure = &Error{Code: CodeInternal, Message: "Internal error", Data: err.Error()}
		}
	}
	if failure != nil {
		with, err := appendJSON(append(b, `"error":`...), failure)
		if err != nil { // Data cannot be written
			with, _ = appendJSON(append(b, `"error":`...), &Error{Code: failure.Code, Message: failure.Message})
		}
		b = with
	}
	b, _ = appendJSON(append(b, `,"id":`...), id) // it was read as JSON
	return append(b, '}')
}

// Instead returns the answer that stands in the place of one that cannot be given: it
// has the id of reply, null for that of a batch.
func Instead(reply []byte, failure *Error) []byte {
	var r struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(reply, &r) != nil || r.ID == nil {
		r.ID = noID
	}
	return answer(r.ID, nil, failure)
}
