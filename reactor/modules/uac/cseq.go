package uac

import (
	"strconv"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// cseqParam of the Record-Route says by how much CSeq differs.
const cseqParam = "vsc"

// maxOffset bounds by how much CSeq may differ.
const maxOffset = 1 << 16

// addCSeq adds to CSeq, as often as it is called.
func (m *module) addCSeq(c *proxy.Context, n uint32) error {
	first, _, err := c.Msg.CSeq()
	if err != nil {
		return err
	}
	k := changesOf(c)
	if first > 1<<31-1-k.offset-n {
		return proxy.ErrHeader
	}
	if err := c.SetCSeq(first + k.offset + n); err != nil {
		return err
	}
	k.offset += n
	k.cseq = true
	return nil
}

// moveCSeq adds to CSeq, and has later requests in the dialog do so.
func (m *module) moveCSeq(c *proxy.Context, n uint32) error {
	if err := m.addCSeq(c, n); err != nil {
		return err
	}
	if c.HasToTag() || !keepsRoute(c.Msg) {
		return nil
	}
	return c.AddRRParam([]byte(";" + cseqParam + "=" + strconv.FormatUint(uint64(changesOf(c).offset), 10)))
}

func (m *module) incCSeq(a *script.Args) script.Action {
	n, at := a.Int(0), a.Site()
	return func(x *script.Machine) int {
		v, ok := n(x)
		if !ok || v < 1 || v > maxOffset {
			return x.Fail(at, "the number is from 1 to 65536")
		}
		return x.Reported(at, m.moveCSeq(x.Context(), uint32(v)))
	}
}
