package mirror

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed text/common.txt text/topics.txt
var textFiles embed.FS

// grammar is a context-free grammar of news: symbols, each with phrases to
// choose from. It never changes once it is read.
type grammar struct {
	symbols []symbol
	topics  []topic
	common  [numCommons]int // symbols that the program itself starts from
}

// topic is a subject with symbols of its own.
type topic struct {
	name  string
	local [numLocals]int
}

// symbol is something that can be written in several ways.
type symbol struct {
	phrases []phrase
	// window is how many of the phrases one article mostly uses, so that it
	// comes back to its own words; 0 is all of them.
	window int
	// echoes is how many ways of writing the whole symbol, down to its last
	// word, one article comes back to: its own persons and things; 0 is none.
	echoes int
}

type phrase []token

// token is a piece of a phrase: text, or something to be put in its place.
type token struct {
	kind  tokenKind
	index int // of a symbol, a local or a slot
	text  string
}

type tokenKind uint8

const (
	tokenText   tokenKind = iota
	tokenSymbol           // {name}
	tokenLocal            // {.name}: the current topic's
	tokenSlot             // {Name}: drawn by the program
)

// What every topic must have.
const (
	localNoun = iota
	localTitle
	localLead
	localClause
	numLocals
)

var localNames = [numLocals]string{"n", "title", "lead", "c"}

// Where the program starts.
const (
	commonSentence = iota
	commonHeading
	commonKeywords
	commonExtra
	commonNote
	numCommons
)

var commonNames = [numCommons]string{"s", "heading", "keywords", "extra", "note"}

// readGrammar reads the embedded text.
func readGrammar() (*grammar, error) {
	r := grammarReader{ids: map[string]int{}}
	for _, name := range []string{"text/common.txt", "text/topics.txt"} {
		text, err := fs.ReadFile(textFiles, name)
		if err != nil {
			return nil, fmt.Errorf("read grammar: %w", err)
		}
		if err := r.collect(string(text)); err != nil {
			return nil, fmt.Errorf("read grammar: %s: %w", name, err)
		}
	}
	return r.compile()
}

// grammarReader reads in two passes, because phrases name symbols that are
// defined further down.
type grammarReader struct {
	ids    map[string]int // of symbols: name, or topic/name
	raw    []rawSymbol
	topics []string
}

type rawSymbol struct {
	topic   string
	words   []string
	phrases []string
	window  int
	echoes  int
}

// collect gathers the definitions in text.
func (r *grammarReader) collect(text string) error {
	topic := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			topic = strings.Trim(line, "[]")
			r.topics = append(r.topics, topic)
		default:
			if err := r.define(topic, line); err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	return nil
}

func (r *grammarReader) define(topic, line string) error {
	name, rest, ok := strings.Cut(line, " ")
	mark, value, _ := strings.Cut(rest, " ")
	symbol := &r.raw[r.symbol(topic, name)]
	switch {
	case ok && mark == "=":
		symbol.words = append(symbol.words, strings.Fields(value)...)
	case ok && mark == ":":
		symbol.phrases = append(symbol.phrases, value)
	case ok && mark == "*":
		return number(&symbol.window, value)
	case ok && mark == "~":
		return number(&symbol.echoes, value)
	default:
		return fmt.Errorf("%q defines nothing", line)
	}
	return nil
}

func number(field *int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of phrases", value)
	}
	*field = n
	return nil
}

// symbol returns the index of a symbol, which it makes where there is none.
func (r *grammarReader) symbol(topic, name string) int {
	key := symbolKey(topic, name)
	id, ok := r.ids[key]
	if !ok {
		id = len(r.raw)
		r.ids[key] = id
		r.raw = append(r.raw, rawSymbol{topic: topic})
	}
	return id
}

func symbolKey(topic, name string) string {
	if topic == "" {
		return name
	}
	return topic + "/" + name
}

func (r *grammarReader) compile() (*grammar, error) {
	g := &grammar{symbols: make([]symbol, len(r.raw))}
	for id, raw := range r.raw {
		phrases := make([]phrase, 0, len(raw.words)+len(raw.phrases))
		for _, word := range raw.words {
			phrases = append(phrases, phrase{{text: word}})
		}
		for _, text := range raw.phrases {
			p, err := r.phrase(raw.topic, text)
			if err != nil {
				return nil, fmt.Errorf("read grammar: phrase %q: %w", text, err)
			}
			phrases = append(phrases, p)
		}
		g.symbols[id] = symbol{phrases, raw.window, raw.echoes}
	}
	return g, r.connect(g)
}

// connect finds the symbols that the program names.
func (r *grammarReader) connect(g *grammar) error {
	for i, name := range commonNames {
		id, ok := r.ids[name]
		if !ok {
			return fmt.Errorf("read grammar: no %q", name)
		}
		g.common[i] = id
	}
	for _, name := range r.topics {
		t := topic{name: name}
		for i, local := range localNames {
			id, ok := r.ids[symbolKey(name, local)]
			if !ok {
				return fmt.Errorf("read grammar: topic %s has no %q", name, local)
			}
			t.local[i] = id
		}
		g.topics = append(g.topics, t)
	}
	return nil
}

// phrase compiles one phrase.
func (r *grammarReader) phrase(topic, text string) (phrase, error) {
	var p phrase
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		if before != "" {
			p = append(p, token{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("no } after %q", before)
		}
		t, err := r.token(topic, name)
		if err != nil {
			return nil, err
		}
		p, text = append(p, t), after
	}
	return p, nil
}

func (r *grammarReader) token(topic, name string) (token, error) {
	if local, ok := strings.CutPrefix(name, "."); ok {
		for i, have := range localNames {
			if have == local {
				return token{kind: tokenLocal, index: i}, nil
			}
		}
		return token{}, fmt.Errorf("topics have no {.%s}", local)
	}
	if s, ok := slotNames[name]; ok {
		return token{kind: tokenSlot, index: int(s)}, nil
	}
	for _, key := range []string{symbolKey(topic, name), name} {
		if id, ok := r.ids[key]; ok {
			return token{kind: tokenSymbol, index: id}, nil
		}
	}
	return token{}, fmt.Errorf("no {%s}", name)
}
