package msilo

import (
	"context"
	"strings"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
	"sipreactor/sipframe"
)

// owner gives whose message it is: the argument, or of two URIs the first with a user.
func owner(given []byte, uris ...[]byte) (user, host string, ok bool) {
	if len(given) > 0 {
		uris = [][]byte{given}
	}
	for _, uri := range uris {
		var u sipframe.URI
		if sipframe.ParseURI(uri, &u) == nil && u.HasUser() {
			return string(u.User.In(uri)), strings.ToLower(string(u.Host.In(uri))), true
		}
	}
	return "", "", false
}

// parties gives the URIs of From and To.
func parties(msg *sipframe.Message) (from, to []byte, ok bool) {
	f, err := msg.From()
	t, err2 := msg.To()
	if err != nil || err2 != nil {
		return nil, nil, false
	}
	return msg.Bytes(f.URI), msg.Bytes(t.URI), true
}

// timeOf reads YYYYMMDDHHMMSS, in local time; 0 is none.
func timeOf(text string) (unix int64, ok bool) {
	t, err := time.ParseInLocation("20060102150405", strings.TrimSpace(text), time.Local)
	if err != nil {
		return 0, false
	}
	return t.Unix(), true
}

func (m *module) storeMessage(a *script.Args) script.Action {
	whose, at := a.Text(0), a.Site()
	return func(x *script.Machine) int {
		msg, now := x.Message(), x.Now().Unix()
		given, _ := whose(x)
		from, to, ok := parties(msg)
		user, host, found := owner(given, x.Context().RequestURI(), to)
		switch {
		case string(x.MethodName()) != "MESSAGE" || !ok:
			return x.Fail(at, "m_store() is for a MESSAGE")
		case !found:
			return x.Fail(at, "the owner is no URI with a user")
		case len(msg.Body()) == 0:
			return -1
		}
		lasts, due := m.lasts, int64(0)
		if n, err := seconds(msg); err == nil && n > 0 {
			lasts = min(lasts, n)
		}
		if m.dueAVP != nil {
			if v := m.dueAVP.Get(x, 0); !v.IsNull() {
				if due, ok = timeOf(string(x.Text(v))); !ok {
					return x.Fail(at, "the time of a reminder is YYYYMMDDHHMMSS")
				}
				lasts = max(lasts, due-now+m.lasts)
			}
		}
		text := store.String
		row := []store.Set{
			{Column: m.from, Value: text(string(from))}, {Column: m.to, Value: text(string(to))}, {Column: m.user, Value: text(user)}, {Column: m.host, Value: text(host)},
			{Column: m.body, Value: store.Bytes(string(msg.Body()))}, {Column: m.kind, Value: text(string(msg.Value(sipframe.HeaderContentType)))},
			{Column: m.came, Value: store.Int(now)}, {Column: m.expires, Value: store.Int(now + lasts)}, {Column: m.due, Value: store.Int(due)},
		}
		full := false
		if !database.Ask(x, at, func() error {
			if m.most > 0 {
				q := store.Select{Table: m.table, Columns: []string{m.id}, Limit: int(m.most), Where: []store.Cond{store.Equal(m.user, text(user)), store.Equal(m.host, text(host))}}
				if res, err := m.db.Select(context.Background(), q); err != nil || res.Len() >= int(m.most) {
					full = err == nil
					return err
				}
			}
			return m.db.Insert(context.Background(), m.table, row...)
		}) {
			return -1
		}
		if full {
			x.Say(at, script.LevelWarn, "m_store(): there are max_messages for the user")
			return -1
		}
		m.stored.Add(1)
		m.notify(x, at, from)
		return 1
	}
}

// seconds reads Expires.
func seconds(msg *sipframe.Message) (n int64, err error) {
	return parseSeconds(string(msg.Value(sipframe.HeaderExpires)))
}

// notify tells the sender that the message waits.
func (m *module) notify(x *script.Machine, at *script.Site, sender []byte) {
	if m.notifyFrom == nil || m.notifyBody == nil {
		return
	}
	target := sender
	if m.useContact {
		if c, err := x.Message().Contact(); err == nil && c != nil && !c.Star {
			target = x.Message().Bytes(c.URI)
		}
	}
	headers := "Content-Type: text/plain\r\n"
	if m.notifyKind != nil {
		headers = strings.TrimRight(string(m.notifyKind(x)), "\r\n") + "\r\n"
	}
	if m.notifyContact != nil {
		headers += strings.TrimRight(string(m.notifyContact(x)), "\r\n") + "\r\n"
	}
	r := &transaction.Request{Method: "MESSAGE", URI: target, From: append(append([]byte("<"), m.notifyFrom(x)...), '>'), To: append(append([]byte("<"), sender...), '>'),
		Headers: []byte(headers), Body: append([]byte(nil), m.notifyBody(x)...), NextHop: []byte(m.proxy)}
	if _, err := m.tm.Layer().Originate(x.Context(), r); err != nil {
		x.Say(at, script.LevelWarn, "msilo: the sender is not told", "error", err)
	}
}
