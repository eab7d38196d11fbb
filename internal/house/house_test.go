// Package house_test holds the rules of the house: which room may import which,
// and what stands in one place only. ARCHITECTURE.md tells why.
package house_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/finarc/finarc"

// mayImport names the rooms that each room may import. A room that is not
// named is not known, and the test says so: say here where it stands.
var mayImport = map[string][]string{
	"news":       nil,
	"config":     {"schedule"},
	"diff":       nil,
	"robots":     nil,
	"exchange":   {"news"},
	"schedule":   {"news"},
	"page":       {"news"},
	"story":      nil,
	"securities": {"news"},
	"durable":    nil,
	"coding":     nil,
	"intake":     {"news", "page"},
	"archive":    {"news", "story", "durable"},
	"jekyll":     {"news", "page", "durable", "intake"},
	"warc":       {"news", "page", "coding", "intake", "durable"},
	"dataset":    {"news", "durable"},
	"article":    {"news", "page"},
	"feed":       {"news", "article"},
	"markdown":   {"news", "article", "jekyll"},
	"epub":       {"news", "article"},
	"search":     {"news", "durable"},
	"mirror":     {"news"},
	"metrics":    {"news"},
	"notify":     {"news", "config"},
	"revisit":    {"news"},
	"coverage":   {"news"},
	"jsonform":   {"news", "page", "archive", "diff", "exchange"},
	"web":        {"news", "page", "archive", "coverage", "diff", "exchange", "feed", "jsonform", "metrics", "securities"},
	"crawler":    {"news", "page", "config", "robots", "revisit", "coverage", "coding"},
	"cmd/finarc": {"web", "jsonform", "news", "page", "config", "diff", "coverage", "exchange", "schedule", "archive", "jekyll", "dataset", "durable", "securities", "search", "mirror", "crawler", "metrics", "notify", "feed", "markdown", "epub", "warc", "intake"},

	// For tests alone.
	"internal/realtest":  nil,
	"internal/storytest": {"mirror", "page"},
	"internal/storetest": {"news", "archive", "crawler"},
	"internal/e2e":       nil,
	"internal/house":     nil,
}

// onlyIn names the rooms that alone may import a library.
var onlyIn = map[string][]string{
	"go.etcd.io/bbolt":            {"archive"},
	"github.com/gocolly/colly/v2": {"crawler"},
	"golang.org/x/time/rate":      {"crawler"},
	"go.yaml.in/yaml/v3":          {"config", "jekyll"},
	"github.com/yuin/goldmark":    {"jekyll"},
	"github.com/spf13/cobra":      {"cmd/finarc"},

	"github.com/netresearch/go-cron": {"schedule"},

	"github.com/parquet-go/parquet-go": {"dataset"},

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter": {"markdown"},
	"modernc.org/sqlite":     {"search"},
	"modernc.org/sqlite/lib": {"search"},

	"github.com/sergi/go-diff/diffmatchpatch": {"diff"},

	"github.com/microcosm-cc/bluemonday": {"web"},
	"github.com/mozillazg/go-pinyin":     {"web"},

	"github.com/prometheus/client_model/go": {"metrics"},
	"github.com/prometheus/common/expfmt":   {"metrics"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

// packages returns the packages of the module, without their tests.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestImportsRunDownward(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := mayImport[room]
		if !known {
			t.Errorf("room %s is not known: say in mayImport what it may import", room)
		}
		for _, path := range p.Imports {
			if other, ours := strings.CutPrefix(path, module+"/"); ours && !slices.Contains(allowed, other) {
				t.Errorf("%s imports %s", room, other)
			}
			if owners := onlyIn[path]; owners != nil && !slices.Contains(owners, room) {
				t.Errorf("%s imports %s, which is for %s alone", room, path, strings.Join(owners, " and "))
			}
		}
	}
}

// TestOnlyInMain: the program ends in one place, and contexts begin there.
func TestOnlyInMain(t *testing.T) {
	calls := map[string][]string{"os.Exit": nil, "context.Background": nil, "context.TODO": nil, "log.Fatal": nil}
	eachFile(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name := selector(call.Fun); name != "" {
					if places, watched := calls[name]; watched {
						calls[name] = append(places, path)
					}
				}
			}
			return true
		})
	})
	main := filepath.Join("cmd", "finarc", "main.go")
	for name, want := range map[string][]string{
		"os.Exit": {main}, "context.Background": {main}, "context.TODO": nil, "log.Fatal": nil,
	} {
		if !slices.Equal(calls[name], want) {
			t.Errorf("%s is called in %q, want %q", name, calls[name], want)
		}
	}
}

// TestNoPanic: what a disk, a server or a user can cause is an error. Only must
// stops a program that was put together wrong; and the archive's reader of pages
// panics as bbolt's does, about what the archive then tells as an error.
func TestNoPanic(t *testing.T) {
	eachFile(t, func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "must" {
				return false
			}
			if call, ok := n.(*ast.CallExpr); ok {
				if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "panic" && !ofDamage(call) {
					t.Errorf("%s panics", path)
				}
			}
			return true
		})
	})
}

// ofDamage reports whether a panic is about a page of the archive that makes no
// sense: of the type that Archive.recoverDamage looks for.
func ofDamage(call *ast.CallExpr) bool {
	arg, ok := call.Args[0].(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := arg.Fun.(*ast.Ident)
	return ok && f.Name == "senseless"
}

func selector(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// eachFile parses the program's own files, tests excepted.
func eachFile(t *testing.T, fn func(path string, file *ast.File)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil || strings.HasPrefix(rel, "internal") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		fn(rel, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
