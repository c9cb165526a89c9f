package script

import (
	"log/slog"
	"time"

	"sipreactor/reactor"
	"sipreactor/reactor/names"
	"sipreactor/reactor/proxy"
	"sipreactor/tlsstate"
)

// Config is what a configuration says, checked and in the types of those who
// use it. Nothing in it changes after Load.
type Config struct {
	// Sockets are the listeners in the order of the file.
	Sockets []SocketDecl
	// AutoAliases takes the names that the sockets' addresses resolve to for
	// ours, too.
	AutoAliases bool
	// Engine has the transport parameters. Sockets, Domains, Logger and
	// Observer are left to the caller.
	Engine reactor.Config
	// Proxy has the parameters of the proxy core. Resolver, Logger and Observer are
	// left to the caller, and Key unless branch_secret_file gives it.
	Proxy proxy.Config
	// TLS are the TLS domains in the order of their declaration. None and a TLS
	// socket: the caller makes one up.
	TLS tlsstate.Config
	// TLSTable is where more TLS domains come from.
	TLSTable TLSTable
	// TLSFiles are files beside those of the domains.
	TLSFiles TLSFiles
	// TLSLibrary is the tlsstate.Library whose machines are to be used, one that
	// this program has.
	TLSLibrary string
	// Log says what is logged and where.
	Log LogConfig
	// OpenFiles is the limit of open descriptors to ask for; 0 leaves the
	// system's.
	OpenFiles int
	// ShutdownTimeout is how long the end may take; 0: what is under way is cut
	// off at once.
	ShutdownTimeout time.Duration
	// StateDir is state_dir: the folder of what outlives the program; "" leaves
	// the choice to the caller.
	StateDir string
	// Databases says what all modules with a db_url share.
	Databases DatabaseConfig
	// DNS says how names are resolved.
	DNS names.Config
	// Modules are the modules that were loaded, without path and suffix.
	Modules []string
	// Peers are the destinations that the routes and the client domains name: SIP
	// domains, and addresses with or without a port. At most 256.
	Peers []string
	// Notes tell what has no effect here, and why.
	Notes []Note
	// Program is the compiled routes: a proxy.Router.
	Program *Program

	tlsPlaces    map[tlsPlace][]Pos
	caches       map[string]Cache
	modules      []*Module       // loaded, in the order of the file
	started      []running       // in the order of their Start
	said         []said          // parameters, in the order of the file
	works        works           // once it has started
	namedSockets []namedSocket   // by constants of routes and parameters
	places       map[string]Pos  // where globals, modules and parameters stand
	broken       map[string]bool // modules of which something is wrong
}

// TLSTable is a table with TLS domains in a database.
type TLSTable struct {
	// URL is db_url of tls_mgm; it is zero if there is none. It may hold a password.
	URL Literal
	// Table is db_table; "" is tls_mgm.
	Table string
	// Columns are the names of columns that have others than usual, by the usual one.
	Columns map[string]string
}

// DatabaseConfig is what all modules with a db_url share.
type DatabaseConfig struct {
	// DefaultURL is db_default_url: that of a module without a db_url. It is zero if
	// it was not set. It may hold a password.
	DefaultURL Literal
	// VersionTable is db_version_table; "" is version.
	VersionTable string
	// Conns is db_max_async_connections, to each database; 0 is the usual number.
	Conns int
}

// LogConfig says what is logged and where.
type LogConfig struct {
	Level  LogLevel // log_level: what the engine says
	Script LogLevel // xlog_level: what xlog() and log() say
	Print  LogLevel // xlog_print_level: the level of an xlog() without one
	Filter LogLevel // stderror_level_filter: nothing above it is said; 0 no filter
	Stderr bool     // stderror_enabled
	Syslog bool     // syslog_enabled
	Prefix string   // log_prefix
	Name   string   // log_name: tells instances apart, "" none
}

// LogLevel is a level as OpenSIPS numbers them: the higher, the more is said.
type LogLevel int8

// The levels.
const (
	LevelAlert  LogLevel = -3
	LevelCrit   LogLevel = -2
	LevelError  LogLevel = -1
	LevelWarn   LogLevel = 1
	LevelNotice LogLevel = 2
	LevelInfo   LogLevel = 3
	LevelDebug  LogLevel = 4
)

// Slog gives the level of log/slog: Debug, Info, Warn and Error are the same,
// Notice lies between Info and Warn, Crit and Alert above Error.
func (l LogLevel) Slog() slog.Level {
	switch {
	case l >= LevelDebug:
		return slog.LevelDebug
	case l == LevelInfo:
		return slog.LevelInfo
	case l == LevelNotice:
		return slog.LevelInfo + 2
	case l == LevelWarn, l == 0:
		return slog.LevelWarn
	case l == LevelError:
		return slog.LevelError
	case l == LevelCrit:
		return slog.LevelError + 4
	default:
		return slog.LevelError + 8
	}
}

// String gives the name, such as NOTICE.
func (l LogLevel) String() string {
	switch {
	case l <= LevelAlert:
		return "ALERT"
	case l == LevelCrit:
		return "CRITICAL"
	case l == LevelError:
		return "ERROR"
	case l <= LevelWarn:
		return "WARNING"
	case l == LevelNotice:
		return "NOTICE"
	case l == LevelInfo:
		return "INFO"
	default:
		return "DBG"
	}
}

// parseLevel reads L_NOTICE, NOTICE or the like.
func parseLevel(s string) (LogLevel, bool) {
	if len(s) > 2 && s[:2] == "L_" {
		s = s[2:]
	}
	switch s {
	case "ALERT":
		return LevelAlert, true
	case "CRIT", "CRITICAL":
		return LevelCrit, true
	case "ERR", "ERROR":
		return LevelError, true
	case "WARN", "WARNING":
		return LevelWarn, true
	case "NOTICE":
		return LevelNotice, true
	case "INFO":
		return LevelInfo, true
	case "DBG", "DEBUG":
		return LevelDebug, true
	default:
		return 0, false
	}
}

// settings is a Config while it is read, with what only the reader needs.
type settings struct {
	*Config
	rep        *report
	words      *vocabulary
	partial    bool  // the syntax is wrong somewhere
	signature  *bool // server_signature
	advertised struct {
		host string
		port uint16
	}
	missed        map[string]*absence // modules that are not here, by name
	hepSockets    []Pos
	loops         int  // max_while_loops
	asserts       bool // enable_asserts
	noNewFlag     string
	noNewResponse string
}

// newConfig gives the documented defaults.
func newConfig() *Config {
	return &Config{
		Engine: reactor.DefaultConfig(),
		places: make(map[string]Pos),
		broken: make(map[string]bool),

		ShutdownTimeout: 10 * time.Second,
		Proxy:           proxy.Config{ServerHeader: defaultServer, TLSPort: 5061},
		Log:             LogConfig{Level: LevelNotice, Script: LevelNotice, Print: LevelNotice, Stderr: true},
	}
}

// defaultServer is the Server header's value unless the configuration has one.
const defaultServer = "sipreactor"
