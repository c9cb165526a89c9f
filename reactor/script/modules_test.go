package script

// testModules are those that configurations of tests may load. The external tests set
// them, as a module cannot be imported from within the package.
var testModules []Constructor

// SetTestModules is called by the external tests' init.
func SetTestModules(list ...Constructor) { testModules = list }

func compile(name string, src []byte) (*Config, error) {
	l := Loader{Modules: testModules}
	return l.Compile(name, src)
}

func load(path string) (*Config, error) {
	l := Loader{Modules: testModules}
	return l.Load(path)
}

// everyWord knows the functions and variables of the core and of all modules.
func everyWord() *settings {
	cfg := newConfig()
	return &settings{Config: cfg, words: newVocabulary(testModules, cfg)}
}
