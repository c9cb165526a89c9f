package msilo

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/reactor/transaction"
)

// kept is a message of the table.
type kept struct {
	id                   int64
	from, to, user, host string
	body, kind           string
	came                 int64
}

// atOnce bounds how many messages of an owner, or reminders, are sent at once.
const atOnce = 100

// load reads messages, the oldest first, and takes those that are not being sent already.
func (m *module) load(ctx context.Context, most int, where ...store.Cond) (list []kept, err error) {
	q := store.Select{Table: m.table, Columns: []string{m.id, m.from, m.to, m.user, m.host, m.body, m.kind, m.came}, Where: where, Order: m.id, Limit: most}
	err = m.db.Load(ctx, q, func(r *store.Row) error {
		k := kept{id: r.Int(0), from: r.Text(1), to: r.Text(2), user: r.Text(3), host: r.Text(4), body: r.Text(5), came: r.Int(7)}
		if !r.IsNull(6) {
			k.kind = r.Text(6)
		}
		list = append(list, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	free := list[:0]
	for _, k := range list {
		if m.sending.begin(k.id) {
			free = append(free, k)
		}
	}
	return free, nil
}

func (m *module) dumpMessages(a *script.Args) script.Action {
	whose, most, at := a.Text(0), a.Int(1), a.Site()
	return func(x *script.Machine) int {
		msg := x.Message()
		given, _ := whose(x)
		_, to, ok := parties(msg)
		user, host, found := owner(given, to)
		contact, err := msg.Contact()
		switch {
		case string(x.MethodName()) != "REGISTER" || !ok:
			return x.Fail(at, "m_dump() is for a REGISTER")
		case !found:
			return x.Fail(at, "the owner is no URI with a user")
		case err != nil || contact == nil || contact.Star:
			return 1 // nobody comes
		}
		if n, err := seconds(msg); err == nil && n == 0 {
			return 1
		}
		if v, ok := script.FindParam(msg.Bytes(contact.Params), []byte("expires")); ok && string(v) == "0" {
			return 1
		}
		limit := atOnce
		if n, ok := most(x); ok && n > 0 {
			limit = int(min(n, atOnce))
		}
		target := string(msg.Bytes(contact.URI))
		var list []kept
		if !database.Ask(x, at, func() (err error) {
			list, err = m.load(context.Background(), limit, store.Equal(m.user, store.String(user)), store.Equal(m.host, store.String(host)), store.Equal(m.due, store.Int(0)),
				store.Cond{Column: m.expires, Op: ">=", Value: store.Int(x.Now().Unix())})
			return err
		}) {
			return -1
		}
		for i := range list {
			m.send(x.Context(), &list[i], target, "<"+list[i].from+">", m.dated(&list[i]), &m.dumped, &m.failed)
		}
		return 1
	}
}

// dated gives a message's body, a text with the time when it came.
func (m *module) dated(k *kept) string {
	if !m.addDate || k.kind != "" && !strings.HasPrefix(strings.ToLower(k.kind), "text/") {
		return k.body
	}
	return "[Offline message - " + time.Unix(k.came, 0).Format(time.ANSIC) + "] " + k.body
}

// remind sends the reminders whose time has come.
func (m *module) remind(ctx context.Context, now int64) {
	list, err := m.load(ctx, atOnce, store.Cond{Column: m.due, Op: ">", Value: store.Int(0)}, store.Cond{Column: m.due, Op: "<=", Value: store.Int(now)})
	if err != nil {
		m.env.Log.Warn("msilo: reminders are not read", "error", err)
		return
	}
	for i := range list {
		k := &list[i]
		m.send(nil, k, "sip:"+k.user+"@"+k.host, "<"+m.reminder+">", k.body, &m.reminded, &m.unreminded)
	}
}

// send sends a message, and deletes it when it is delivered.
func (m *module) send(by *proxy.Context, k *kept, target, from, body string, good, bad *script.Count) {
	kind := k.kind
	if kind == "" {
		kind = "text/plain"
	}
	r := &transaction.Request{Method: "MESSAGE", URI: []byte(target), From: []byte(from), To: []byte("<" + k.to + ">"), Headers: []byte("Content-Type: " + kind + "\r\n"), Body: []byte(body), NextHop: []byte(m.proxy)}
	id := k.id
	r.Done = func(o *transaction.Outcome) {
		switch {
		case o.Code < 200:
		case o.Code < 300:
			good.Add(1)
			m.env.Go(func(ctx context.Context) { m.delivered(ctx, id) })
		default:
			bad.Add(1)
			m.sending.end(id)
		}
	}
	if _, err := m.tm.Layer().Originate(by, r); err != nil {
		bad.Add(1)
		m.sending.end(id)
		m.env.Log.Warn("msilo: a message cannot be sent", "to", target, "error", err)
	}
}

// delivered takes a message off. If that fails it stays marked as being sent while the program runs: it is not sent twice.
func (m *module) delivered(ctx context.Context, id int64) {
	if _, err := m.db.Delete(ctx, m.table, store.Equal(m.id, store.Int(id))); err != nil {
		m.env.Log.Warn("msilo: a message that was delivered is not deleted", "id", id, "error", err)
		return
	}
	m.sending.end(id)
}

// sending are the messages that are being sent, by their ids. Any goroutine.
type sending struct {
	mu  sync.Mutex
	ids map[int64]bool
}

// begin reports whether nobody sends the message already.
func (t *sending) begin(id int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids[id] {
		return false
	}
	t.ids[id] = true
	return true
}

func (t *sending) end(id int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.ids, id)
}

func parseSeconds(text string) (int64, error) {
	return strconv.ParseInt(strings.TrimSpace(text), 10, 32)
}
