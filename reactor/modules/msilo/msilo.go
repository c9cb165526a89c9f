// Package msilo is OpenSIPS' module msilo: MESSAGEs to who is not there are kept in a table of a
// database, and sent when they register; as reminders, at a time that the script says.
//
// A message that is being sent is not sent again meanwhile, and goes from the table with its 2xx. The script waits for the
// database, and for no answer of a phone.
package msilo

import (
	"context"
	"fmt"
	"time"

	"sipreactor/reactor/modules/internal/database"
	"sipreactor/reactor/modules/tm"
	"sipreactor/reactor/script"
	"sipreactor/reactor/store"
	"sipreactor/sipframe"
)

type module struct {
	url                                                      database.URL
	table                                                    string
	id, from, to, user, host, body, kind, expires, came, due string // columns
	fromText, contactText, offlineText, kindText, dueName    script.Literal
	notifyFrom, notifyContact, notifyBody, notifyKind        func(x *script.Machine) []byte // nil: not said
	dueAVP                                                   *script.AVP
	reminder, proxy                                          string
	lasts, check, every, cleanEvery, most                    int64
	useContact, addDate                                      bool
	db                                                       *store.DB
	tm                                                       *tm.Module
	env                                                      *script.Env
	stored, dumped, failed, reminded, unreminded             script.Count

	sending *sending
}

// New makes the module for a configuration.
func New(*script.Config) *script.Module {
	m := &module{table: "silo", id: "id", from: "src_addr", to: "dst_addr", user: "username", host: "domain", body: "body", kind: "ctype", expires: "exp_time", came: "inc_time", due: "snd_time",
		lasts: 259200, check: 30, cleanEvery: 5, useContact: true, addDate: true, sending: &sending{ids: map[int64]bool{}}}
	inbox := []script.ArgKind{script.TextArg, script.IntArg}
	return &script.Module{
		Name: "msilo", Help: "Keeps MESSAGEs for users who are not there.", Needs: []string{"tm"}, Instance: m,
		Parameters: append(m.url.Parameters(), m.parameters()...),
		Functions: []script.Function{
			{Name: "m_store", Usage: `m_store(["owner URI"])`, Help: "Keeps the MESSAGE for the owner, by default the user of the Request-URI, or of To where that has no user. -1: it has no body, there are max_messages, or an error.",
				Args: inbox[:1], Routes: script.Routes(script.RequestRoute, script.FailureRoute), Async: true, Build: m.storeMessage},
			{Name: "m_dump", Usage: `m_dump(["owner URI"[, most]])`, Help: "Sends the owner's messages, by default those of To's user, to the Contact of the REGISTER. -1: an error.",
				Args: inbox, Routes: script.Routes(script.RequestRoute), Async: true, Build: m.dumpMessages},
		},
		Statistics: []script.Statistic{
			{Name: "stored_messages", Help: "Messages that were stored.", Count: &m.stored}, {Name: "dumped_messages", Help: "Stored messages that were delivered.", Count: &m.dumped},
			{Name: "failed_messages", Help: "Stored messages that were refused or not answered.", Count: &m.failed},
			{Name: "dumped_reminders", Help: "Reminders that were delivered.", Count: &m.reminded}, {Name: "failed_reminders", Help: "Reminders that were refused or not answered.", Count: &m.unreminded},
		},
		Check: m.checked, Start: m.start, Stop: func(any) { _ = m.db.Close() }, Trial: true,
	}
}

func (m *module) parameters() []script.Parameter {
	text := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Default: *to, Help: help, Set: script.NonEmpty(to)}
	}
	uri := func(name, help string, to *string) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
			var u sipframe.URI
			if sipframe.ParseURI([]byte(v.Text), &u) != nil {
				return fmt.Errorf("is no SIP URI: %q", v.Text)
			}
			*to = v.Text
			return nil
		}}
	}
	keep := func(name, help string, to *script.Literal) script.Parameter {
		return script.Parameter{Name: name, Type: script.StringParam, Help: help, Set: func(v script.Literal) error {
			*to = v
			return nil
		}}
	}
	number := func(name, unit, help string, to *int64, least, otherwise int64) script.Parameter {
		return script.Parameter{Name: name, Type: script.IntParam, Min: least, Max: 1 << 31, Unit: unit, Default: fmt.Sprint(otherwise), Help: help, Set: script.Into(to)}
	}
	return []script.Parameter{
		text("db_table", "The table of messages.", &m.table),
		text("sc_mid", "The column of a message's number.", &m.id), text("sc_from", "The column of who has sent it.", &m.from), text("sc_to", "The column of To.", &m.to),
		text("sc_uri_user", "The column of the owner's user.", &m.user), text("sc_uri_host", "The column of the owner's domain.", &m.host), text("sc_body", "The column of the body.", &m.body),
		text("sc_ctype", "The column of the body's type.", &m.kind), text("sc_exp_time", "The column of when it is thrown away.", &m.expires), text("sc_inc_time", "The column of when it came.", &m.came),
		text("sc_snd_time", "The column of when it is sent as a reminder.", &m.due),
		keep("from_address", "Who tells the sender that the message waits, a URI with variables; without it they are not told.", &m.fromText),
		keep("contact_hdr", "The Contact header of that, with variables.", &m.contactText), keep("offline_message", "The body of that, with variables.", &m.offlineText), keep("content_type_hdr", "The Content-Type header of that, with variables.", &m.kindText),
		{Name: "use_contact", Type: script.BoolParam, Default: "1", Help: "Whether that is sent to the sender's Contact.", Set: script.Into(&m.useContact)},
		{Name: "add_date", Type: script.BoolParam, Default: "1", Help: "Whether the text of a message gets the time when it came in front.", Set: script.Into(&m.addDate)},
		uri("reminder", "Who sends reminders; without it there are none.", &m.reminder), uri("outbound_proxy", "Where messages are sent; by default by their URIs.", &m.proxy),
		number("expire_time", "seconds", "How long a message is kept.", &m.lasts, 1, 259200),
		number("check_time", "seconds", "With clean_period, how often messages are thrown away.", &m.check, 1, 30),
		number("clean_period", "", "How many times check_time.", &m.cleanEvery, 1, 5),
		number("send_time", "seconds", "How often reminders are looked for; 0 is never.", &m.every, 0, 0),
		number("max_messages", "", "How many messages of one owner are kept; 0 is no bound.", &m.most, 0, 0),
		keep("snd_time_avp", "The AVP with the time of a reminder, YYYYMMDDHHMMSS, for m_store().", &m.dueName),
	}
}

func (m *module) checked(l *script.Loading) {
	m.url.Check(l)
	m.tm, _ = l.Instance("tm").(*tm.Module)
	for _, f := range []struct {
		text script.Literal
		to   *func(x *script.Machine) []byte
	}{{m.fromText, &m.notifyFrom}, {m.contactText, &m.notifyContact}, {m.offlineText, &m.notifyBody}, {m.kindText, &m.notifyKind}} {
		if f.text.Text != "" {
			*f.to = l.Format(f.text)
		}
	}
	if m.dueName.Text != "" {
		m.dueAVP = l.AVP(m.dueName)
	}
}

// tableVersion is that of the table's layout.
const tableVersion = 6

func (m *module) start(e *script.Env) (err error) {
	m.env = e
	if old, ok := e.Previous.(*module); ok {
		m.sending = old.sending
	}
	columns := []string{m.id, m.from, m.to, m.user, m.host, m.body, m.kind, m.expires, m.came, m.due}
	if m.db, err = m.url.OpenFor(e, store.Select{Table: m.table, Columns: columns, Version: tableVersion}); err != nil {
		return err
	}
	e.Every(time.Duration(m.check*m.cleanEvery)*time.Second, func(ctx context.Context) { m.clean(ctx, time.Now().Unix()) })
	if m.every > 0 && m.reminder != "" {
		e.Every(time.Duration(m.every)*time.Second, func(ctx context.Context) { m.remind(ctx, time.Now().Unix()) })
	}
	return nil
}

// clean throws away what is over.
func (m *module) clean(ctx context.Context, now int64) {
	if _, err := m.db.Delete(ctx, m.table, store.Cond{Column: m.expires, Op: "<", Value: store.Int(now)}); err != nil {
		m.env.Log.Warn("msilo: messages that are over are not deleted", "error", err)
	}
}
