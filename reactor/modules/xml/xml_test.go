package xml_test

import (
	"strings"
	"testing"

	"sipreactor/reactor/modules/moduletest"
	"sipreactor/reactor/modules/xml"
)

var head = moduletest.Head("xml")

func TestDocumented(t *testing.T) { moduletest.Documented(t, xml.New) }

// The documentation's document, step by step.
func TestDocument(t *testing.T) {
	log := moduletest.Logs(t, head, `
	$xml(my_doc) = "<doc></doc>";
	$xml(my_doc/doc) = "<list></list>";
	$xml(my_doc/doc/list) = "<item>some_value</item>";
	$xml(my_doc/doc/list) = "<item>another_value</item>";
	xlog("$xml(my_doc)");
	$xml(my_doc/doc/list/item[1].val) = "new_val";
	$xml(my_doc/doc/list.attr/sort) = "asc";
	xlog("$xml(my_doc/doc/list)");
	$var(my_list) = "list"; $var(my_idx) = 1; $var(my_attr) = "sort";
	xlog("$xml(my_doc/doc/$var(my_list).attr/$var(my_attr)) $xml(my_doc/doc/$var(my_list)/item[$var(my_idx)].val)");
	$xml(my_doc/doc/list.attr/sort) = NULL;
	$xml(my_doc/doc/list/item[1]) = NULL;
	$xml(my_doc/doc/list.val) = "end";
	xlog("$xml(my_doc/doc/list)");
	$xml(my_doc/doc/list.val) = NULL;
	xlog("$xml(my_doc)");
	$xml(my_doc) = NULL;
	xlog("$xml(my_doc)");`, xml.New)
	want := []string{
		"<doc><list><item>some_value</item><item>another_value</item></list></doc>",
		`<list sort="asc"><item>some_value</item><item>new_val</item></list>`,
		"asc new_val",
		"<list><item>some_value</item>end</list>",
		"<doc><list><item>some_value</item></list></doc>",
		"<null>",
	}
	if got := strings.Join(log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

// Blanks are kept, what has a meaning in XML is written so, and names may have prefixes
// and dots.
func TestText(t *testing.T) {
	for run, want := range map[string]string{
		`$xml(d) = "<doc>\n</doc>"; $xml(d/doc) = "\t<list></list>\n"; xlog("$xml(d)");`:                       "<doc>\n\t<list/>\n</doc>",
		`$xml(d) = "<?xml version='1.0'?><!-- x --><a:doc a:x='1'/>"; xlog("$xml(d/a:doc.attr/a:x) $xml(d)");`: `1 <a:doc a:x="1"/>`,
		`$xml(d) = "<a.b/>"; $xml(d/a.b.val) = "<&>"; $xml(d/a.b.attr/q) = "\"<"; xlog("$xml(d)");`:            `<a.b q="&quot;&lt;">&lt;&amp;&gt;</a.b>`,
		`$xml(d) = "<a>&lt;x&gt;</a>"; xlog("$xml(d/a.val) $xml(d/b) $xml(e) $xml(d/a.attr/none)");`:           "<x> <null> <null> <null>",
		`$xml(d) = "<a>one<b/>two</a>"; xlog("$xml(d/a.val)");`:                                                "onetwo",
	} {
		if log := moduletest.Logs(t, head, run, xml.New); strings.Join(log, "|") != want {
			t.Errorf("%s: %q, want %q", run, log, want)
		}
	}
}

// What is no document, or would be too large a one, changes nothing and is told.
func TestRefused(t *testing.T) {
	for run, want := range map[string]string{
		`$xml(d) = "<a><b></a>";`:                  "no well-formed XML",
		`$xml(d) = "<a/><b/>";`:                    "no well-formed XML",
		`$xml(d) = "text";`:                        "no well-formed XML",
		`$xml(d) = "<a>&nbsp;</a>";`:               "no well-formed XML",
		`$xml(d/a) = "<b/>";`:                      "there is no such element",
		`$xml(d) = "<a/>"; $xml(d/a/b.val) = "x";`: "there is no such element",
		`$xml(d) = "<a/>"; $var(n) = "x y"; $xml(d/a.attr/$var(n)) = "x";`:            "the name of an attribute",
		`$xml(d) = "` + strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70) + `";`: "64 levels",
	} {
		log := moduletest.Logs(t, head, run, xml.New)
		if len(log) == 0 || !strings.Contains(log[0], want) {
			t.Errorf("%s: %q, want %q", run, log, want)
		}
	}
	for _, name := range []string{"", "/a", "d/", "d/a[", "d/a[x]", "d/a.attr/", "d.val", "d/a.value/x["} {
		got := moduletest.Wrong(t, head+"route { xlog(\"x\"); $var(x) = $xml("+name+"); }\n", xml.New)
		if !strings.Contains(got, "xml") {
			t.Errorf("%q: %s", name, got)
		}
	}
}

// A message begins without documents.
func TestLifetime(t *testing.T) {
	b := moduletest.New(t, head+`route { xlog("$xml(d)"); $xml(d) = "<a/>"; }`+"\n", xml.New)
	for range 2 {
		b.Receive(moduletest.Invite)
		if len(b.Log) != 1 || b.Log[0] != "<null>" {
			t.Error(b.Log)
		}
	}
}

func FuzzDocument(f *testing.F) {
	f.Add("<a><b x='1'>t</b></a>")
	f.Fuzz(func(t *testing.T, text string) { xml.Check(t, text) })
}
