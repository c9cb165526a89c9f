package sipframe

// cseq is the value of CSeq.
type cseq struct {
	number uint32
	method Span
}

var errCSeq = badRequest("Bad CSeq")

// parse reads the value in s. RFC 3261 section 8.1.1.5 keeps numbers below 2^31;
// what fits into 32 bits does no harm here.
func (c *cseq) parse(b []byte, s Span) *Defect {
	i, end := int(s.Off), int(s.End())
	from := i
	for i < end && isDigit(b[i]) {
		i++
	}
	n, ok := ParseUint(b[from:i], 1<<32-1)
	method := skipLWS(b, i, end)
	if !ok || method == i || !IsToken(b[method:end]) {
		return errCSeq
	}
	c.number, c.method = uint32(n), span(method, end)
	return nil
}
