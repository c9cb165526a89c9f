package rtpengine

import (
	"strings"

	"sipreactor/reactor/modules/rtpengine/ng"
	"sipreactor/reactor/script"
)

// functions: but for rtpengine_use_set() they are for any route. Where there is no message the flags call-id, from-tag and to-tag
// name the call.
func (m *module) functions() []script.Function {
	const text, set = script.TextArg, script.SetArg
	kinds := func(k ...script.ArgKind) []script.ArgKind { return k }
	const sdpArgs = `(["flags"[, $var(node)[, $var(sdp)[, "body"]]]])`
	sdp := func(name, help string, do func(f *act, x *script.Machine) int) script.Function {
		return script.Function{Name: name, Usage: name + sdpArgs, Help: help, Args: kinds(text, set, set, text), Routes: script.Anywhere, Async: true, Build: m.withSDP(do)}
	}
	command := func(name, ask, help string) script.Function {
		return script.Function{Name: name, Usage: name + `(["flags"[, $var(node)]])`, Help: help, Args: kinds(text, set), Routes: script.Anywhere, Async: true,
			Build: m.simple(func(f *act, x *script.Machine) int { return f.plain(x, ask, nil) })}
	}
	return []script.Function{
		{Name: "rtpengine_use_set", Usage: "rtpengine_use_set(set)", Help: "Has the message use the nodes of another set.", Args: kinds(script.IntArg), Min: 1, Routes: withMessage, Build: m.useSet},
		sdp("rtpengine_offer", "Has the SDP of an offer name rtpengine.", func(f *act, x *script.Machine) int { return f.exchange(x, "offer") }),
		sdp("rtpengine_answer", "Has the SDP of an answer name rtpengine.", func(f *act, x *script.Machine) int { return f.exchange(x, "answer") }),
		sdp("rtpengine_manage", "Does an offer, an answer or a delete, as the message is one.", (*act).manage),
		{Name: "rtpengine_delete", Usage: `rtpengine_delete(["flags"[, $var(node)]])`, Help: "Ends the call's media; $rtpstat has its statistics then.", Args: kinds(text, set), Routes: script.Anywhere, Async: true, Build: m.simple((*act).remove)},
		command("rtpengine_start_recording", "start recording", "Begins to record the call."),
		command("rtpengine_stop_recording", "stop recording", "Ends the recording of the call."),
		command("rtpengine_pause_recording", "pause recording", "Interrupts the recording of the call."),
		command("rtpengine_block_media", "block media", "Keeps the media of a party back."),
		command("rtpengine_unblock_media", "unblock media", "Lets the media of a party through again."),
		command("rtpengine_block_dtmf", "block DTMF", "Keeps the DTMF of a party back."),
		command("rtpengine_unblock_dtmf", "unblock DTMF", "Lets the DTMF of a party through again."),
		command("rtpengine_start_forwarding", "start forwarding", "Begins to send copies of the media elsewhere."),
		command("rtpengine_stop_forwarding", "stop forwarding", "Ends rtpengine_start_forwarding()."),
		{Name: "rtpengine_play_media", Usage: `rtpengine_play_media("flags"[, $var(duration)[, $var(node)]])`, Help: "Plays a file to a party; its duration is in milliseconds, -1 is unknown.",
			Args: kinds(text, set, set), Min: 1, Routes: script.Anywhere, Async: true, Build: m.numbered("play media", "duration", 1, 2)},
		{Name: "rtpengine_stop_media", Usage: `rtpengine_stop_media(["flags"[, $var(node)[, $var(last frame)]]])`, Help: "Ends rtpengine_play_media().",
			Args: kinds(text, set, set), Routes: script.Anywhere, Async: true, Build: m.numbered("stop media", "last-frame-pos", 2, 1)},
		{Name: "rtpengine_play_dtmf", Usage: `rtpengine_play_dtmf("code"[, "flags"[, $var(node)]])`, Help: "Sends a digit, *, # or A to D, as DTMF.",
			Args: kinds(text, text, set), Min: 1, Routes: script.Anywhere, Async: true, Build: m.playDTMF},
	}
}

// withMessage are the routes in which there is a message.
var withMessage = script.Routes(script.RequestRoute, script.OnReplyRoute, script.FailureRoute, script.BranchRoute, script.LocalRoute)

func (m *module) withSDP(do func(f *act, x *script.Machine) int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, 0, 1)
		if f == nil {
			return nil
		}
		f.sdp, f.body, f.given = a.Setter(2), a.Text(3), a.Given(3)
		return func(x *script.Machine) int { return do(f, x) }
	}
}

func (m *module) simple(do func(f *act, x *script.Machine) int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, 0, 1)
		if f == nil {
			return nil
		}
		return func(x *script.Machine) int { return do(f, x) }
	}
}

// numbered is a command whose answer has a number for a variable: -1 if it has none.
func (m *module) numbered(command, key string, numberArg, nodeArg int) func(a *script.Args) script.Action {
	return func(a *script.Args) script.Action {
		f := m.newAct(a, 0, nodeArg)
		if f == nil {
			return nil
		}
		number := a.Setter(numberArg)
		return func(x *script.Machine) int {
			n, ok := int64(0), false
			code := f.plain(x, command, func(a ng.Answer) { n, ok = a.Dict().Int(key) })
			if code < 0 || number == nil {
				return code
			}
			if !ok {
				n = -1
			}
			return number(x, script.Int(n))
		}
	}
}

func (m *module) playDTMF(a *script.Args) script.Action {
	f := m.newAct(a, 1, 2)
	if f == nil {
		return nil
	}
	const tones = "0123456789*#ABCD"
	valid := func(code string) bool { return len(code) == 1 && strings.Contains(tones, code) }
	if text, ok := a.Fixed(0); ok && !valid(text) {
		a.Errorf(0, "%q is none of 0 to 9, *, # and A to D", text)
		return nil
	}
	digit := a.Text(0)
	return func(x *script.Machine) int {
		b, _ := digit(x)
		if !valid(string(b)) {
			return x.Fail(f.at, "the code is none of 0 to 9, *, # and A to D")
		}
		return f.plain(x, "play DTMF", nil, ng.Entry{Key: "code", Value: string(b)})
	}
}
