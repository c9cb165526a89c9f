package main

import (
	"log/slog"

	"sipreactor/reactor/proxy"
	"sipreactor/reactor/script"
)

// keepBranchSecret has responses pass whose request left in an earlier life of the program: unless branch_secret_file
// has given the secret, it is one in the state directory, made at the first start. Where that cannot be had, this
// process has a secret of its own, and the log says so.
func keepBranchSecret(cfg *script.Config, log *slog.Logger) {
	if cfg.Proxy.Key != nil {
		return
	}
	dir := defaultStateDir()
	if cfg.StateDir != "" {
		dir = stateDir(cfg.StateDir)
	}
	text, err := dir.secret("branch")
	if err == nil {
		cfg.Proxy.Key, err = proxy.SecretKey([]byte(text))
	}
	if err != nil {
		log.Warn("no secret outlives this process: responses to what was forwarded before a restart will be dropped", "error", err)
	}
}
