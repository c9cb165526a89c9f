package tm

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/rpc"
	"sipreactor/reactor/script"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

func (m *Module) commands() []rpc.Command {
	text := func(name string, optional bool) rpc.Param {
		return rpc.Param{Name: name, Kind: rpc.Text, Optional: optional}
	}
	return []rpc.Command{
		{Name: "t_uac_dlg", Aliases: []string{"tm:uac_dlg"}, Help: "Sends a request and answers with its final response.",
			Params: []rpc.Param{text("method", false), text("ruri", false), text("headers", false), text("next_hop", true), text("socket", true), text("body", true)}, Func: m.uacDialog},
		{Name: "t_uac_cancel", Aliases: []string{"tm:uac_cancel"}, Help: "Cancels an INVITE by its Call-ID and CSeq.",
			Params: []rpc.Param{text("callid", false), text("cseq", false)}, Func: m.uacCancel},
		{Name: "t_hash", Aliases: []string{"tm:hash"}, Help: "Tells how many transactions there are.", Func: m.hash},
		{Name: "t_reply", Aliases: []string{"tm:reply"}, Help: "Answers a transaction, by its $T_id.",
			Params: []rpc.Param{{Name: "code", Kind: rpc.Integer}, text("reason", false), text("trans_id", false), text("to_tag", false), text("new_headers", true), text("body", true)}, Func: m.miReply},
	}
}

// uacDialog is t_uac_dlg.
func (m *Module) uacDialog(ctx context.Context, a *rpc.Args) (any, error) {
	r := transaction.Request{Method: a.Text("method"), URI: []byte(a.Text("ruri")), Body: []byte(a.Text("body")), Ack: true}
	if wrong := headersOf(&r, a.Text("headers")); wrong != "" {
		return nil, &rpc.Error{Code: 400, Message: wrong}
	}
	if hop := a.Text("next_hop"); hop != "" && hop != "." {
		r.NextHop = []byte(hop)
	} else if hop == "." {
		return nil, &rpc.Error{Code: 400, Message: "Invalid next_hop"}
	}
	if s := a.Text("socket"); s != "" && s != "." {
		if r.Socket = m.Socket(s); r.Socket == nil {
			return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Invalid local socket"}
		}
	}
	type answer struct {
		Status  string `json:"Status"`
		Message string `json:"Message,omitempty"`
	}
	done := make(chan any, 1)
	r.Done = func(o *transaction.Outcome) {
		if o.Code < 200 {
			return
		}
		var result any
		switch {
		case o.Local && o.Code != 408 && o.Exchange == nil:
			result = &rpc.Error{Code: o.Code, Message: strings.Replace(string(o.Reason), "/TM)", "/MI/UAC)", 1)}
		case o.Message == nil:
			result = answer{Status: strconv.Itoa(o.Code) + " " + string(o.Reason)}
		default:
			text := string(o.Message.Raw())
			if i := strings.Index(text, "\r\n"); i >= 0 {
				text = text[i+2:]
			}
			result = answer{Status: strconv.Itoa(o.Code) + " " + string(o.Reason), Message: text}
		}
		select {
		case done <- result:
		default: // a further 2xx
		}
	}
	if _, err := m.layer.Originate(nil, &r); err != nil {
		return nil, &rpc.Error{Code: 400, Message: "Invalid request: " + err.Error()}
	}
	select {
	case result := <-done:
		if failed, ok := result.(*rpc.Error); ok {
			return nil, failed
		}
		return result, nil
	case <-ctx.Done():
		return nil, &rpc.Error{Code: 408, Message: "no answer in time"}
	}
}

// headersOf takes From, To, Call-ID and CSeq out of header lines; the others stay.
func headersOf(r *transaction.Request, text string) (wrong string) {
	text = strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(text)
	var rest strings.Builder
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "from", "f":
			r.From = []byte(value)
		case "to", "t":
			r.To = []byte(value)
		case "call-id", "i":
			r.CallID = []byte(value)
		case "cseq":
			n, _, _ := strings.Cut(value, " ")
			seq, err := strconv.ParseUint(n, 10, 31)
			if err != nil {
				return "Invalid CSeq"
			}
			r.CSeq = uint32(seq)
		case "content-length", "l", "max-forwards", "via", "v":
		case "":
		default:
			if !ok {
				return "Invalid headers"
			}
			rest.WriteString(line + "\r\n")
		}
	}
	switch {
	case len(r.From) == 0:
		return "From missing"
	case len(r.To) == 0:
		return "To missing"
	}
	r.Headers = []byte(rest.String())
	return ""
}

// Socket finds a listener by proto:host[:port] or its tag, nil if there is none.
func (m *Module) Socket(name string) *reactor.Socket {
	return proxy.FindSocket(name, m.env.Listeners)
}

func (m *Module) uacCancel(_ context.Context, a *rpc.Args) (any, error) {
	n, _, _ := strings.Cut(strings.TrimSpace(a.Text("cseq")), " ")
	seq, err := strconv.ParseUint(n, 10, 32)
	if err != nil {
		return nil, &rpc.Error{Code: 400, Message: "Invalid cseq"}
	}
	callID := []byte(a.Text("callid"))
	h := cmp.Or(m.layer.FindInvite(callID, uint32(seq)), m.layer.FindOwnInvite(callID, uint32(seq)))
	if h == 0 || !m.layer.Do(nil, h, func(x *transaction.Exchange, _ *proxy.Context) { x.CancelAll() }) {
		return nil, &rpc.Error{Code: 481, Message: "No such transaction"}
	}
	return "OK", nil
}

// hash is t_hash: the transactions, as a table of one row would have them.
func (m *Module) hash(context.Context, *rpc.Args) (any, error) {
	type entry struct {
		Entry int `json:"index"`
		Live  int `json:"current_load"`
		Total int `json:"total_load"`
	}
	return map[string]any{"Entries": []entry{{0, m.layer.Live(), int(m.layer.Count("UAS_transactions") + m.layer.Count("UAC_transactions"))}}}, nil
}

// miReply is t_reply.
func (m *Module) miReply(ctx context.Context, a *rpc.Args) (any, error) {
	code := a.Int("code")
	if code < 100 || code > 699 {
		return nil, &rpc.Error{Code: 400, Message: "Invalid code"}
	}
	h, err := strconv.ParseUint(strings.TrimPrefix(a.Text("trans_id"), "0x"), 16, 64)
	if err != nil {
		return nil, &rpc.Error{Code: 400, Message: "Invalid trans_id"}
	}
	headers := a.Text("new_headers")
	if headers == "." {
		headers = ""
	}
	headers = strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(headers)
	tag := a.Text("to_tag")
	if tag == "." {
		tag = ""
	}
	if tag != "" && !sipframe.IsToken([]byte(tag)) {
		return nil, &rpc.Error{Code: 400, Message: "Invalid to_tag"}
	}
	done := make(chan bool, 1)
	reason, body := []byte(a.Text("reason")), []byte(a.Text("body"))
	if x := transaction.Held(ctx); x != nil && x.Handle() == h { // the script that asks is the transaction's own
		done <- x.Respond(code, reason, body, []byte(headers), []byte(tag))
	} else if !m.layer.Do(nil, h, func(x *transaction.Exchange, _ *proxy.Context) {
		done <- x.Respond(code, reason, body, []byte(headers), []byte(tag))
	}) {
		return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Transaction not found"}
	}
	select {
	case ok := <-done:
		if !ok {
			return nil, rpc.Failed("Transaction is answered", nil)
		}
		return "OK", nil
	case <-ctx.Done():
	case <-time.After(5 * time.Second): // it has ended meanwhile
	}
	return nil, &rpc.Error{Code: rpc.CodeNotFound, Message: "Transaction not found"}
}

// newRequest is t_new_request().
func (m *Module) newRequest(a *script.Args) script.Action {
	at := a.Site()
	get := [6]func(x *script.Machine) ([]byte, bool){}
	for i := range get {
		get[i] = a.Text(i)
	}
	return func(x *script.Machine) int {
		var v [6][]byte
		for i := range get {
			v[i], _ = get[i](x)
		}
		r := transaction.Request{Method: string(v[0]), URI: v[1], From: address(v[2]), To: address(v[3])}
		if len(v[4]) > 0 {
			typ, body, _ := strings.Cut(string(v[4]), " ")
			r.Headers, r.Body = []byte("Content-Type: "+typ+"\r\n"), []byte(body)
		}
		if len(v[5]) > 0 {
			k := m.newCall()
			var own script.AVPs
			x.SaveAVPs(&own)
			m.context.Set(x, script.Text(v[5]))
			x.SaveAVPs(&k.avps)
			x.LoadAVPs(&own)
			r.Attached = k
		}
		_, err := m.layer.Originate(x.Context(), &r)
		return x.Reported(at, err)
	}
}

// address makes a header value of "[display ]URI".
func address(b []byte) []byte {
	s := strings.TrimSpace(string(b))
	if i := strings.LastIndexByte(s, ' '); i >= 0 && !strings.ContainsRune(s, '<') {
		return []byte(`"` + strings.Trim(s[:i], ` "`) + `" <` + s[i+1:] + ">")
	}
	if strings.ContainsRune(s, '<') {
		return []byte(s)
	}
	return []byte("<" + s + ">")
}
