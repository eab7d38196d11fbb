package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A decoder reads the nodes of a file into a Config, collecting what is wrong
// and remembering where each key stood.
type decoder struct {
	file       string
	lines      map[string]int    // of the keys in the file, by path
	variables  map[string]string // the environment variables that set keys, by path
	faulty     map[string]bool   // paths of keys with a problem already
	problems   Problems
	unreadable bool // the file is no mapping: judging the whole would only repeat it
}

func newDecoder(file string) *decoder {
	return &decoder{file: file, lines: map[string]int{}, variables: map[string]string{}, faulty: map[string]bool{}}
}

// document reads the one YAML document that data must be.
func (d *decoder) document(c *Config, data []byte) {
	r := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := r.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.refuse(0, "the file is empty: finarc config init writes one to begin with")
		return
	case err != nil:
		d.syntax(err)
		return
	}
	if err := r.Decode(&more); err == nil {
		d.refuse(more.Line, "a second YAML document begins: want one")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
		return
	}
	d.root(c, doc.Content[0])
}

// refuse records a fault that makes the whole file unreadable.
func (d *decoder) refuse(line int, what string) {
	d.unreadable = true
	d.problems = append(d.problems, Problem{File: d.file, Line: line, What: errors.New(what)})
}

// syntax records an error of the YAML reader, with its line taken out of it.
func (d *decoder) syntax(err error) {
	what := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(what); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits; one too large stays 0
		what = what[len(m[0]):]
	}
	d.refuse(line, "not YAML: "+strings.ReplaceAll(what, "\n", " "))
}

func (d *decoder) root(c *Config, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		d.refuse(n.Line, "want keys and values, not "+describe(n))
		return
	}
	sections := map[string]map[string]func(*yaml.Node){"": {}}
	for _, k := range settings() {
		name, rest := section(k.path)
		if sections[name] == nil {
			sections[name] = map[string]func(*yaml.Node){}
		}
		sections[name][rest] = func(n *yaml.Node) { assign(d, k, c, k.path, n) }
	}
	top := sections[""]
	top[mirrorsKey] = func(n *yaml.Node) { d.mirrors(c, n) }
	for _, name := range []string{limitsKey, notifyKey, serveKey} {
		top[name] = func(n *yaml.Node) { d.mapping(n, name, sections[name]) }
	}
	d.mapping(n, "", top)
}

func (d *decoder) mirrors(c *Config, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		d.fault(n.Line, mirrorsKey, fmt.Errorf("want a list of mirrors, not %s", describe(n)))
		return
	}
	for i, item := range n.Content {
		d.lines[mirrorPath(i)] = item.Line
		c.Mirrors = append(c.Mirrors, d.mirror(mirrorPath(i), item))
	}
}

func (d *decoder) mirror(path string, n *yaml.Node) Mirror {
	m := newMirror()
	known := map[string]func(*yaml.Node){}
	for _, k := range mirrorSettings() {
		known[k.path] = func(n *yaml.Node) { assign(d, k, &m, path+"."+k.path, n) }
	}
	d.mapping(n, path, known)
	return m
}

// mapping reads the keys of n, which stands at path: each known key once, and
// no other.
func (d *decoder) mapping(n *yaml.Node, path string, known map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fault(n.Line, path, fmt.Errorf("want keys and values, not %s", describe(n)))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+name.Value, ".")
		switch read, ok := known[name.Value]; {
		case !ok || name.Kind != yaml.ScalarNode:
			d.tell(name.Line, path, unknownKey(name, known))
		case d.lines[at] != 0:
			d.fault(name.Line, at, fmt.Errorf("told twice: first on line %d", d.lines[at]))
		default:
			d.lines[at] = name.Line
			read(value)
		}
	}
}

func unknownKey(name *yaml.Node, known map[string]func(*yaml.Node)) error {
	if name.Kind != yaml.ScalarNode {
		return fmt.Errorf("want a key, not %s", describe(name))
	}
	if near := nearest(name.Value, known); near != "" {
		return fmt.Errorf("unknown key %q: did you mean %q?", name.Value, near)
	}
	return fmt.Errorf("unknown key %q", name.Value)
}

// assign reads the value n of k into t.
func assign[T any](d *decoder, k key[T], t *T, path string, n *yaml.Node) {
	items := []*yaml.Node{n}
	if k.list && !(k.single && plain(n, false)) {
		if !plain(n, true) {
			d.fault(n.Line, path, fmt.Errorf("want %s, not %s", k.want, describe(n)))
			return
		}
		items = n.Content
	}
	values := make([]string, len(items))
	for i, item := range items {
		values[i] = item.Value
		if !plain(item, false) {
			d.fault(item.Line, path, fmt.Errorf("want %s, not %s", k.want, describe(item)))
			return
		}
	}
	if !k.set(t, values) {
		at, err := k.refusal(values)
		line := n.Line
		if at < len(items) {
			line = items[at].Line
		}
		d.fault(line, path, err)
	}
}

// fault records what is wrong with the key at path.
func (d *decoder) fault(line int, path string, what error) {
	d.faulty[path] = true
	d.tell(line, path, what)
}

func (d *decoder) tell(line int, path string, what error) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Key: path, What: what})
}

// whole records a problem of the whole configuration at the place where its
// key, or the nearest part of the file around it, stands.
func (d *decoder) whole(p Problem) {
	for path := p.Key; path != ""; path = parent(path) {
		if d.faulty[path] {
			return // its value could not be read: that was told
		}
	}
	if v, ok := d.variables[p.Key]; ok {
		p.Key = v
	} else {
		p.File, p.Line = d.file, d.line(p.Key)
	}
	d.problems = append(d.problems, p)
}

// line returns the line of the key at path, or of what it belongs to.
func (d *decoder) line(path string) int {
	for ; path != ""; path = parent(path) {
		if n := d.lines[path]; n != 0 {
			return n
		}
	}
	return 0
}

// parent returns the path of what the key at path belongs to: mirrors[0] of
// mirrors[0].name, and mirrors of that.
func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// plain reports whether n is a list, or a scalar that says something, without
// tags or aliases.
func plain(n *yaml.Node, list bool) bool {
	if list {
		return n.Kind == yaml.SequenceNode
	}
	return n.Kind == yaml.ScalarNode && n.Tag != "!!null" && n.Style&yaml.TaggedStyle == 0
}

// describe names what n is, for errors.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys and values"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Style&yaml.TaggedStyle != 0:
		return "a value with a tag"
	case n.Tag == "!!null":
		return "nothing"
	default:
		return strconv.Quote(n.Value)
	}
}
