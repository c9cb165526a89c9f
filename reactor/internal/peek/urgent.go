package peek

import (
	"bytes"

	"sipreactor/sipframe"
)

// Urgent reports whether a message is one that is never refused for its age:
// a response, an ACK, a CANCEL, or a request within a dialog. It does not parse;
// what it takes for a new request wrongly is answered, which harms nobody.
func Urgent(data []byte) bool {
	switch {
	case len(data) < 8:
		return false
	case data[0] == 'S' && string(data[:4]) == "SIP/",
		data[0] == 'A' && string(data[:4]) == "ACK ",
		data[0] == 'C' && string(data[:7]) == "CANCEL ":
		return true
	}
	to := headerLine(data, toLine, "to", 't')
	if i := bytes.LastIndexByte(to, '>'); i >= 0 {
		to = to[i:]
	}
	for {
		i := bytes.IndexByte(to, ';')
		if i < 0 {
			return false
		}
		to = bytes.TrimLeft(to[i+1:], " \t")
		if len(to) > 4 && sipframe.EqualFold(to[:3], "tag") && (to[3] == '=' || to[3] == ' ' || to[3] == '\t') {
			return true
		}
	}
}
