package script

// File is a parsed configuration: its items in the order they stand in.
type File struct {
	Name  string
	Items []Item
	Notes []Note

	rep *report
}

// Item is a *Global, *SocketDef, *LoadModule, *ModParam or *Route.
type Item interface{ Pos() Pos }

// node is what every piece of the tree has.
type node struct {
	At Pos // where it begins; for an operator, the operator's place
}

// Pos gives the place of the node.
func (n node) Pos() Pos { return n.At }

// Global is name = value.
type Global struct {
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

// LoadModule is loadmodule "file.so".
type LoadModule struct {
	node
	Path Literal
}

// ModParam is modparam("module", "name", value).
type ModParam struct {
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

// Route is a block of statements that something runs.
type Route struct {
	node
	Kind    RouteKind
	Name    string   // "" is the default one
	Params  []string // names of the parameters, if they have any
	Seconds int64    // of a timer route
	Body    *Block
}

// Stmt is a statement.
type Stmt interface{ Pos() Pos }

// Block is { statements }.
type Block struct {
	node
	List []Stmt
}

// If is if (Cond) Then else Else. Else may be nil.
type If struct {
	node
	Cond       Expr
	Then, Else Stmt
}

// While is while (Cond) Body.
type While struct {
	node
	Cond Expr
	Body Stmt
}

// For is for (Var in Over) Body.
type For struct {
	node
	Var, Over *Var
	Body      Stmt
}

// Switch is switch (On) { cases }.
type Switch struct {
	node
	On    *Var
	Cases []*Case
}

// Case is one case or default of a switch.
type Case struct {
	node
	Default bool
	Value   Literal
	Body    []Stmt
}

// Assign is Target Op Value, where Op is =, := or one like +=.
type Assign struct {
	node
	Target *Var
	Op     kind
	Value  Expr
}

// CallStmt is a call for its effect.
type CallStmt struct {
	node
	Call Expr // a *Call or *RouteCall
}

// Return is return or return(Values...).
type Return struct {
	node
	Values []Expr
}

// Jump is exit, drop or break.
type Jump struct {
	node
	Word string
}

// Expr is an expression.
type Expr interface{ Pos() Pos }

// Number is an integer.
type Number struct {
	node
	N int64
}

// String is a quoted string. Only the arguments of functions expand variables
// in it.
type String struct {
	node
	Text string
	raw  []int
}

// Null is NULL.
type Null struct{ node }

// Addr is an address or a network, such as 10.0.0.0/8.
type Addr struct {
	node
	Text string
}

// Word is a bare word in an expression, such as myself.
type Word struct {
	node
	Text string
}

// Call is Func(Args...). An argument that is left out is nil.
type Call struct {
	node
	Func string
	Args []Expr
	End  Pos
}

// RouteCall is route(Name, Args...).
type RouteCall struct {
	node
	Name Expr // *String, *Word, *Number or *Var
	Args []Expr
}

// Unary is ! or ~ before X.
type Unary struct {
	node
	Op kind
	X  Expr
}

// Binary is X Op Y.
type Binary struct {
	node
	Op   kind
	X, Y Expr
}

// Paren is (X) or [X].
type Paren struct {
	node
	X Expr
}
