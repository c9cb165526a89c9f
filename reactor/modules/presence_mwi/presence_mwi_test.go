package presence_mwi

import (
	"testing"

	"sipreactor/reactor/modules/moduletest"
)

func TestDocumented(t *testing.T) { moduletest.Documented(t, New) }

func TestSummaries(t *testing.T) {
	for text, ok := range map[string]bool{
		"Messages-Waiting: yes\r\nMessage-Account: sip:bob@x\r\nVoice-Message: 2/8 (0/2)\r\n": true,
		"messages-waiting : NO": true, "": false, "Voice-Message: 1/0\r\n": false, "Messages-Waiting: maybe\r\n": false,
	} {
		if err := (summary{}).Check([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := (summary{}).Body("", [][]byte{[]byte("old"), []byte("new")}); string(got) != "new" {
		t.Errorf("watchers get %q", got)
	}
}
