// Package browser tests the status page in a real browser: Chromium without a
// window, against the program as it is built; and phones of SIP.js in one, which
// register over secure WebSocket and call each other.
//
// It is a module of its own so that what drives the browser is no dependency of
// the engine. Without Chromium, or npm and its registry for SIP.js, its tests are
// skipped; with SIPREACTOR_BROWSER=require they fail instead.
//
//	cd bench/browser && go test ./...
//
// The picture in README is made by
//
//	go test -run TestScreenshot -screenshot ../../reactor/mi/page/screenshot.png -seconds 290
package browser
