package script

// parsedFile is a parsed configuration: its items in the order they stand in.
type parsedFile struct {
	Name  string
	Items []item
	Notes []Note

	rep *report
}

// item is a *globalItem, *socketItem, *loadModuleItem, *modParamItem or *routeItem.
type item interface{ Pos() Pos }

// node is what every piece of the tree has.
type node struct {
	At Pos // where it begins; for an operator, the operator's place
}

// Pos gives the place of the node.
func (n node) Pos() Pos { return n.At }

// globalItem is name = value.
type globalItem struct {
	node
	Name  string
	Value Literal
	Extra []Literal // words behind the value
}

// Literal is a constant: a number, a string, or a bare word.
type Literal struct {
	At     Pos
	IsInt  bool
	Quoted bool
	Int    int64
	Text   string // of a number as it was written
}

// loadModuleItem is loadmodule "file.so".
type loadModuleItem struct {
	node
	Path Literal
}

// modParamItem is modparam("module", "name", value).
type modParamItem struct {
	node
	Module, Name, Value Literal
}

// RouteKind is what starts a route.
type RouteKind uint8

// The kinds of routes.
const (
	RequestRoute RouteKind = iota // route, and named routes that others call
	OnReplyRoute
	ErrorRoute
	LocalRoute
	StartupRoute
	TimerRoute
	EventRoute
	FailureRoute
	BranchRoute
)

var routeWords = []string{
	RequestRoute: "route", OnReplyRoute: "onreply_route", ErrorRoute: "error_route", LocalRoute: "local_route",
	StartupRoute: "startup_route", TimerRoute: "timer_route", EventRoute: "event_route",
	FailureRoute: "failure_route", BranchRoute: "branch_route",
}

// String gives the word that begins such a route.
func (k RouteKind) String() string { return routeWords[k] }

// routeItem is a block of statements that something runs.
type routeItem struct {
	node
	Kind    RouteKind
	Name    string   // "" is the default one
	Params  []string // names of the parameters, if they have any
	Seconds int64    // of a timer route
	Body    *blockStmt
}

// statement is a statement.
type statement interface{ Pos() Pos }

// blockStmt is { statements }.
type blockStmt struct {
	node
	List []statement
}

// ifStmt is if (Cond) Then else Else. Else may be nil.
type ifStmt struct {
	node
	Cond       expression
	Then, Else statement
}

// whileStmt is while (Cond) Body.
type whileStmt struct {
	node
	Cond expression
	Body statement
}

// forStmt is for (Var in Over) Body.
type forStmt struct {
	node
	Var, Over *varExpr
	Body      statement
}

// switchStmt is switch (On) { cases }.
type switchStmt struct {
	node
	On    *varExpr
	Cases []*switchCase
}

// switchCase is one case or default of a switch.
type switchCase struct {
	node
	Default bool
	Value   Literal
	Body    []statement
}

// assignStmt is Target Op Value, where Op is =, := or one like +=.
type assignStmt struct {
	node
	Target *varExpr
	Op     kind
	Value  expression
}

// callStmt is a call for its effect.
type callStmt struct {
	node
	Call expression // a *callExpr or *routeCallExpr
}

// returnStmt is return or return(Values...).
type returnStmt struct {
	node
	Values []expression
}

// jumpStmt is exit, drop or break.
type jumpStmt struct {
	node
	Word string
}

// expression is an expression.
type expression interface{ Pos() Pos }

// numberExpr is an integer.
type numberExpr struct {
	node
	N int64
}

// stringExpr is a quoted string. Only the arguments of functions expand variables
// in it.
type stringExpr struct {
	node
	Text string
	raw  []int
}

// nullExpr is NULL.
type nullExpr struct{ node }

// addrExpr is an address or a network, such as 10.0.0.0/8.
type addrExpr struct {
	node
	Text string
}

// wordExpr is a bare word in an expression, such as myself.
type wordExpr struct {
	node
	Text string
}

// callExpr is Func(Args...). An argument that is left out is nil.
type callExpr struct {
	node
	Func string
	Args []expression
	End  Pos
}

// routeCallExpr is route(Name, Args...).
type routeCallExpr struct {
	node
	Name expression // *stringExpr, *wordExpr, *numberExpr or *varExpr
	Args []expression
}

// unaryExpr is ! or ~ before X.
type unaryExpr struct {
	node
	Op kind
	X  expression
}

// binaryExpr is X Op Y.
type binaryExpr struct {
	node
	Op   kind
	X, Y expression
}

// parenExpr is (X) or [X].
type parenExpr struct {
	node
	X expression
}
