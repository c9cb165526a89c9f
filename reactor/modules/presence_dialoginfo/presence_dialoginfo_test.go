package presence_dialoginfo

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

// doc is a document with a call.
func doc(id, state string) []byte {
	return []byte(`<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" xmlns:x="urn:x" version="7" state="full" entity="sip:e@x">
<dialog id="` + id + `" call-id="c&amp;` + id + `" x:a="1"><state> ` + state + ` </state><x:more>1</x:more><remote><identity display="A &lt; B">sip:a@x</identity><target uri="sip:a@x"/></remote></dialog></dialog-info>`)
}

// TestAggregation: what several publish is one document; what is over is told only where nothing else is.
func TestAggregation(t *testing.T) {
	for _, c := range []struct {
		single bool
		list   []string
		want   string
	}{
		{false, []string{"early"}, "0early"},
		{false, []string{"confirmed", "terminated", "early"}, "0confirmed 2early"},
		{false, []string{"terminated", "terminated"}, "1terminated"},
		{true, []string{"trying", "early", "confirmed", "early"}, "1early"},
		{true, []string{"terminated", "proceeding"}, "1proceeding"},
	} {
		e := &calls{single: c.single}
		var published [][]byte
		for i, s := range c.list {
			published = append(published, doc(string(rune('0'+i)), s))
			if err := e.Check(published[i]); err != nil {
				t.Fatal(err)
			}
		}
		body := string(e.Number(`sip:b"ob@x`, e.Body(`sip:b"ob@x`, published), 12))
		var got []string
		for _, part := range strings.Split(body, `<dialog id="`)[1:] {
			_, state, _ := strings.Cut(part, "<state>")
			state, _, _ = strings.Cut(state, "<")
			got = append(got, part[:1]+state)
		}
		if strings.Join(got, " ") != c.want || !strings.Contains(body, `version="12" state="full" entity="sip:b&#34;ob@x"`) {
			t.Errorf("%v: %s, want %s in\n%s", c.list, got, c.want, body)
		}
		if strings.Contains(body, "more") || !strings.Contains(body, `call-id="c&amp;`) || !strings.Contains(body, `<identity display="A &lt; B">sip:a@x</identity><target uri="sip:a@x"/>`) {
			t.Errorf("a call is not as it was published:\n%s", body)
		}
		if list, err := read([]byte(body)); err != nil || len(list) != len(got) {
			t.Errorf("the document is none itself: %v", err)
		}
	}
}

func TestWrongDocuments(t *testing.T) {
	for _, text := range []string{"", "x", "<presence/>", `<dialog-info><dialog><state>early</state></dialog></dialog-info>`, `<dialog-info><dialog id="1"/></dialog-info>`,
		`<dialog-info><dialog id="1"><state>busy</state></dialog></dialog-info>`, `<!DOCTYPE x [<!ENTITY a "b">]><dialog-info/>`} {
		if (&calls{}).Check([]byte(text)) == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
