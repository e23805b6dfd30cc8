package html

// The elements. Each is a function of its attributes and children in any order.

// Doc is a whole page: the doctype and the html element.
func Doc(c ...Node) Node { return document{element{name: "html", kids: c}} }

// Head is a head element.
func Head(c ...Node) Node { return element{name: "head", kids: c} }

// Title is a title element.
func Title(c ...Node) Node { return element{name: "title", kids: c} }

// Body is a body element.
func Body(c ...Node) Node { return element{name: "body", kids: c} }

// Main is a main element.
func Main(c ...Node) Node { return element{name: "main", kids: c} }

// Nav is a nav element.
func Nav(c ...Node) Node { return element{name: "nav", kids: c} }

// Aside is a aside element.
func Aside(c ...Node) Node { return element{name: "aside", kids: c} }

// Header is a header element.
func Header(c ...Node) Node { return element{name: "header", kids: c} }

// Footer is a footer element.
func Footer(c ...Node) Node { return element{name: "footer", kids: c} }

// Section is a section element.
func Section(c ...Node) Node { return element{name: "section", kids: c} }

// Article is a article element.
func Article(c ...Node) Node { return element{name: "article", kids: c} }

// Div is a div element.
func Div(c ...Node) Node { return element{name: "div", kids: c} }

// P is a p element.
func P(c ...Node) Node { return element{name: "p", kids: c} }

// Span is a span element.
func Span(c ...Node) Node { return element{name: "span", kids: c} }

// A is a a element.
func A(c ...Node) Node { return element{name: "a", kids: c} }

// Strong is a strong element.
func Strong(c ...Node) Node { return element{name: "strong", kids: c} }

// Em is a em element.
func Em(c ...Node) Node { return element{name: "em", kids: c} }

// Small is a small element.
func Small(c ...Node) Node { return element{name: "small", kids: c} }

// Code is a code element.
func Code(c ...Node) Node { return element{name: "code", kids: c} }

// Pre is a pre element.
func Pre(c ...Node) Node { return element{name: "pre", kids: c} }

// Kbd is a kbd element.
func Kbd(c ...Node) Node { return element{name: "kbd", kids: c} }

// Mark is a mark element.
func Mark(c ...Node) Node { return element{name: "mark", kids: c} }

// Time is a time element.
func Time(c ...Node) Node { return element{name: "time", kids: c} }

// H1 is a h1 element.
func H1(c ...Node) Node { return element{name: "h1", kids: c} }

// H2 is a h2 element.
func H2(c ...Node) Node { return element{name: "h2", kids: c} }

// H3 is a h3 element.
func H3(c ...Node) Node { return element{name: "h3", kids: c} }

// Ul is a ul element.
func Ul(c ...Node) Node { return element{name: "ul", kids: c} }

// Ol is a ol element.
func Ol(c ...Node) Node { return element{name: "ol", kids: c} }

// Li is a li element.
func Li(c ...Node) Node { return element{name: "li", kids: c} }

// Dl is a dl element.
func Dl(c ...Node) Node { return element{name: "dl", kids: c} }

// Dt is a dt element.
func Dt(c ...Node) Node { return element{name: "dt", kids: c} }

// Dd is a dd element.
func Dd(c ...Node) Node { return element{name: "dd", kids: c} }

// Table is a table element.
func Table(c ...Node) Node { return element{name: "table", kids: c} }

// Caption is a caption element.
func Caption(c ...Node) Node { return element{name: "caption", kids: c} }

// Thead is a thead element.
func Thead(c ...Node) Node { return element{name: "thead", kids: c} }

// Tbody is a tbody element.
func Tbody(c ...Node) Node { return element{name: "tbody", kids: c} }

// Tr is a tr element.
func Tr(c ...Node) Node { return element{name: "tr", kids: c} }

// Th is a th element.
func Th(c ...Node) Node { return element{name: "th", kids: c} }

// Td is a td element.
func Td(c ...Node) Node { return element{name: "td", kids: c} }

// Form is a form element.
func Form(c ...Node) Node { return element{name: "form", kids: c} }

// Fieldset is a fieldset element.
func Fieldset(c ...Node) Node { return element{name: "fieldset", kids: c} }

// Legend is a legend element.
func Legend(c ...Node) Node { return element{name: "legend", kids: c} }

// Label is a label element.
func Label(c ...Node) Node { return element{name: "label", kids: c} }

// Button is a button element.
func Button(c ...Node) Node { return element{name: "button", kids: c} }

// Select is a select element.
func Select(c ...Node) Node { return element{name: "select", kids: c} }

// Option is a option element.
func Option(c ...Node) Node { return element{name: "option", kids: c} }

// Optgroup is a optgroup element.
func Optgroup(c ...Node) Node { return element{name: "optgroup", kids: c} }

// Textarea is a textarea element.
func Textarea(c ...Node) Node { return element{name: "textarea", kids: c} }

// Output is a output element.
func Output(c ...Node) Node { return element{name: "output", kids: c} }

// Details is a details element.
func Details(c ...Node) Node { return element{name: "details", kids: c} }

// Summary is a summary element.
func Summary(c ...Node) Node { return element{name: "summary", kids: c} }

// Dialog is a dialog element.
func Dialog(c ...Node) Node { return element{name: "dialog", kids: c} }

// Figure is a figure element.
func Figure(c ...Node) Node { return element{name: "figure", kids: c} }

// Figcaption is a figcaption element.
func Figcaption(c ...Node) Node { return element{name: "figcaption", kids: c} }

// Script is a script element.
func Script(c ...Node) Node { return element{name: "script", kids: c} }

// Template is a template element.
func Template(c ...Node) Node { return element{name: "template", kids: c} }

// Noscript is a noscript element.
func Noscript(c ...Node) Node { return element{name: "noscript", kids: c} }

// Progress is a progress element.
func Progress(c ...Node) Node { return element{name: "progress", kids: c} }

// Abbr is a abbr element.
func Abbr(c ...Node) Node { return element{name: "abbr", kids: c} }

// Br is a br element.
func Br(c ...Node) Node { return element{name: "br", void: true, kids: c} }

// Hr is a hr element.
func Hr(c ...Node) Node { return element{name: "hr", void: true, kids: c} }

// Img is a img element.
func Img(c ...Node) Node { return element{name: "img", void: true, kids: c} }

// Input is a input element.
func Input(c ...Node) Node { return element{name: "input", void: true, kids: c} }

// Link is a link element.
func Link(c ...Node) Node { return element{name: "link", void: true, kids: c} }

// Meta is a meta element.
func Meta(c ...Node) Node { return element{name: "meta", void: true, kids: c} }

// Col is a col element.
func Col(c ...Node) Node { return element{name: "col", void: true, kids: c} }

// Wbr is a wbr element.
func Wbr(c ...Node) Node { return element{name: "wbr", void: true, kids: c} }

// SVG is a svg element of a drawing.
func SVG(c ...Node) Node { return element{name: "svg", kids: c} }

// Use is a use element of a drawing.
func Use(c ...Node) Node { return element{name: "use", kids: c} }

// Path is a path element of a drawing.
func Path(c ...Node) Node { return element{name: "path", kids: c} }

// Rect is a rect element of a drawing.
func Rect(c ...Node) Node { return element{name: "rect", kids: c} }

// Line is a line element of a drawing.
func Line(c ...Node) Node { return element{name: "line", kids: c} }

// Polyline is a polyline element of a drawing.
func Polyline(c ...Node) Node { return element{name: "polyline", kids: c} }

// Polygon is a polygon element of a drawing.
func Polygon(c ...Node) Node { return element{name: "polygon", kids: c} }

// Circle is a circle element of a drawing.
func Circle(c ...Node) Node { return element{name: "circle", kids: c} }

// G is a g element of a drawing.
func G(c ...Node) Node { return element{name: "g", kids: c} }

// Symbol is a symbol element of a drawing.
func Symbol(c ...Node) Node { return element{name: "symbol", kids: c} }

// Defs is a defs element of a drawing.
func Defs(c ...Node) Node { return element{name: "defs", kids: c} }

// Pattern is a pattern element of a drawing.
func Pattern(c ...Node) Node { return element{name: "pattern", kids: c} }
