package script

import "testing"

func TestTransforms(t *testing.T) {
	for _, tt := range []struct{ in, chain, want string }{
		{"hello", "{s.len}", "5"}, {"12abc", "{s.int}", "12"}, {" -7", "{s.int}", "-7"}, {"abc", "{s.int}", "0"},
		{"HeLLo", "{s.tolower}", "hello"}, {"HeLLo", "{s.toupper}", "HELLO"},
		{"  a b\t", "{s.trim}", "a b"}, {"  a", "{s.triml}", "a"}, {"a  ", "{s.trimr}", "a"},
		{"abc", "{s.reverse}", "cba"},
		{"abcdef", "{s.substr,1,3}", "bcd"}, {"abcdef", "{s.substr,-3,2}", "de"}, {"abcdef", "{s.substr,2,0}", "cdef"},
		{"abcdef", "{s.substr,1,-1}", "bcde"}, {"abcdef", "{s.substr,9,1}", "<null>"}, {"abcdef", "{s.substr,4,9}", "ef"},
		{"abcdef", "{s.substr,$var(one),$var(two)}", "bc"},
		{"a,b,c", "{s.select,0,,}", "a"}, {"a,b,c", "{s.select,2,,}", "c"}, {"a,b,c", "{s.select,-1,,}", "c"},
		{"a,b,c", "{s.select,-3,,}", "a"}, {"a,b,c", "{s.select,3,,}", "<null>"}, {"a,b,c", "{s.select,-4,,}", "<null>"},
		{"1.2.3", "{s.select,1,.}", "2"}, {"a:b", "{s.select,$var(one),:}", "b"},
		{"abcabc", "{s.index,bc}", "1"}, {"abcabc", "{s.index,bc,2}", "4"}, {"abcabc", "{s.index,x}", "-1"},
		{"abcabc", "{s.rindex,bc}", "4"}, {"abcabc", "{s.rindex,bc,3}", "1"}, {"abcabc", "{s.index,bc,-3}", "4"},
		{"7", "{s.fill.left,0,3}", "007"}, {"7", "{s.fill.right,-,3}", "7--"}, {"1234", "{s.fill.left,0,3}", "1234"},
		{"abc", "{s.width,2}", "ab"}, {"abc", "{s.width,5}", "abc  "},
		{"abc", "{s.md5}", "900150983cd24fb0d6963f7d28e17f72"},
		{"AZ", "{s.encode.hexa}", "415a"}, {"415a", "{s.decode.hexa}", "AZ"}, {"4", "{s.decode.hexa}", "<null>"},
		{"hello", "{s.b64encode}", "aGVsbG8="}, {"aGVsbG8=", "{s.b64decode}", "hello"}, {"%%", "{s.b64decode}", "<null>"},
		{"255", "{s.dec2hex}", "ff"}, {"0xff", "{s.hex2dec}", "255"}, {"x", "{s.hex2dec}", "<null>"},
		{"abc", "{s.xor,k}{s.xor,k}", "abc"},
		{`a"b`, "{s.escape.common}", `a\"b`}, {`a"b`, "{s.escape.common}{s.unescape.common}", `a"b`},
		{"a b@c", "{s.escape.user}", "a%20b%40c"}, {"a%20b%40c", "{s.unescape.user}", "a b@c"}, {"%0d%0a", "{s.unescape.user}", "<null>"}, {"%zz", "{s.unescape.user}", "<null>"},
		{"a=b;c", "{s.escape.param}", "a%3Db%3Bc"}, {"a%3Db", "{s.unescape.param}", "a=b"},
		{"Sun, 06 Nov 1994 08:49:37 GMT", "{s.date2unix}", "784111777"}, {"soon", "{s.date2unix}", "<null>"},

		{"sip:al:pw@h.example:5070;transport=tls;lr;p=1?Subject=x", "{uri.user}", "al"},
		{"sip:al:pw@h.example:5070", "{uri.passwd}", "pw"}, {"sip:al@h.example:5070", "{uri.host}", "h.example"},
		{"sip:al@[::1]:5070", "{uri.host}", "[::1]"}, {"sip:al@h:5070", "{uri.port}", "5070"}, {"sip:al@h", "{uri.port}", "<null>"},
		{"sip:h;a=1;b", "{uri.params}", "a=1;b"}, {"sip:h?x=y", "{uri.headers}", "x=y"}, {"sips:h", "{uri.schema}", "sips"},
		{"sip:h;transport=tls", "{uri.transport}", "tls"}, {"sip:h;maddr=1.2.3.4", "{uri.maddr}", "1.2.3.4"}, {"sip:h;lr", "{uri.lr}", ""},
		{"sip:h", "{uri.lr}", "<null>"}, {"sip:h;a=1", "{uri.param,a}", "1"}, {"sip:h;a=1", "{uri.param,$var(name)}", "1"}, {"sip:h;user=phone", "{uri.uparam}", "phone"},
		{"no uri", "{uri.host}", "<null>"}, {"tel:+49301", "{uri.user}", "+49301"},

		{`"Al" <sip:a@h;x=1>;tag=5`, "{nameaddr.name}", `"Al"`}, {`"Al" <sip:a@h;x=1>;tag=5`, "{nameaddr.uri}", "sip:a@h;x=1"},
		{`"Al" <sip:a@h;x=1>;tag=5`, "{nameaddr.uri}{uri.user}", "a"}, {`<sip:a@h>;tag=5;q=1`, "{nameaddr.params}", "tag=5;q=1"},
		{`<sip:a@h>;tag=5`, "{nameaddr.param,tag}", "5"}, {`<sip:a@h>`, "{nameaddr.len}", "9"}, {"<", "{nameaddr.uri}", "<null>"},

		{"a=1;b=2;c", "{param.value,b}", "2"}, {"a=1;b=2;c", "{param.value,c}", ""}, {"a=1", "{param.value,x}", "<null>"},
		{"a=1;b=2;c", "{param.exist,c}", "1"}, {"a=1", "{param.exist,c}", "0"}, {"a=1;b=2", "{param.valueat,1}", "2"},
		{"a=1;b=2", "{param.name,1}", "b"}, {"a=1;b=2", "{param.name,-1}", "b"}, {"a=1;b=2", "{param.name,2}", "<null>"}, {"a=1;b=2", "{param.count}", "2"},
		{`a="x y"`, "{param.value,a}", "x y"},
		{"a, b,\"c,d\"", "{csv.count}", "3"}, {"a, b,c", "{csv.value,1}", "b"}, {"a, b,c", "{csv.value,-1}", "c"}, {"a", "{csv.value,1}", "<null>"}, {"a", "{csv.value,-2}", "<null>"},

		{"10.1.2.3", "{ip.isip}", "1"}, {"x", "{ip.isip}", "0"}, {"::1", "{ip.isip6}", "1"}, {"::1", "{ip.isip4}", "0"},
		{"10.1.2.3", "{ip.isprivate}", "1"}, {"8.8.8.8", "{ip.isprivate}", "0"}, {"[fd00::1]", "{ip.isprivate}", "1"},
		{"10.1.2.3", "{ip.matches,10.0.0.0/8}", "1"}, {"10.1.2.3", "{ip.matches,$var(net)}", "0"},
		{"10.1.2.3", "{ip.pton}{ip.ntop}", "10.1.2.3"}, {"10.1.2.3", "{ip.pton}{ip.family}", "INET"}, {"::1", "{ip.pton}{ip.family}", "INET6"}, {"x", "{ip.pton}", "<null>"},

		{"abcabc", "{re.subst,/b/X/}", "aXcabc"}, {"abcabc", "{re.subst,/b/X/g}", "aXcaXc"}, {"ABC", "{re.subst,/b/x/i}", "AxC"},
		{"0049123", `{re.subst,/^00(.*)$/+\1/}`, "+49123"}, {"abc", `{re.subst,/b/[\0]/}`, "a[b]c"}, {"abc", "{re.subst,/x/y/}", "abc"},
		{"abc", "{re.subst,#b#/#}", "a/c"}, {"abc", "{re.subst,/b/$var(one)/}", "a1c"}, {"abc", "{re.subst,/b/$$/}", "a$c"},
		{"aaa", "{re.subst,/a{2}/X/}", "Xa"}, {"a,b", "{re.subst,/,/-/}", "a-b"},
		{"abc", "{re.subst,/b/$(var(two){re.subst,#2#two#})/}", "atwoc"},

		{"Abc", "{s.tolower}{s.substr,0,2}{s.toupper}", "AB"},
		{"<null>", "{s.len}", "6"},
	} {
		b := newBench(t, allModules+`
route {
	$var(one) = 1; $var(two) = "2"; $var(name) = "a"; $var(net) = "192.168.0.0/16";
	$var(in) = '`+tt.in+`';
	xlog("$(var(in)`+escaped(tt.chain)+`)");
}`)
		b.receive(invite)
		if len(b.log) != 1 || b.log[0] != tt.want {
			t.Errorf("%s of %q: got %q, want %q", tt.chain, tt.in, b.log, tt.want)
		}
	}
	if got := logged(t, `xlog("$(hdr(None){s.len}) $(hdr(None){uri.host})");`); got != "<null> <null>" {
		t.Errorf("null stays null: %s", got)
	}
}

// escaped writes a text for the inside of "".
func escaped(s string) string {
	out := ""
	for _, c := range s {
		if c == '\\' || c == '"' {
			out += `\`
		}
		out += string(c)
	}
	return out
}
