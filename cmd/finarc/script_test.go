package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts and tests run the real program: a process of its own
// that begins in main.
func TestMain(m *testing.M) {
	// A program that is built with the race detector waits a second at its end.
	os.Setenv(raceOptions, os.Getenv(raceOptions)+" atexit_sleep_ms=0")
	testscript.Main(m, map[string]func(){
		"finarc":       main,
		"unprivileged": unprivileged,
	})
}

const raceOptions = "GORACE"

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv(raceOptions, os.Getenv(raceOptions))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serve": serve, "reads": reads, "unserve": unserve, "asked": asked, "awaits": awaits, "fetch": fetch,
			"pick": pick, "fields": fields, "lines": lines, "patch": patch, "tree": tree,
			"lock": lock, "unlock": unlock, "keep": keep, "hook": hook,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "droppable" { // privileges are lacking, or can be dropped
				return canDrop(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// wants fails the script where a command of its own is used wrong.
func wants(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// exits CODE COMMAND…: the command ends with the exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) > 1, "exits CODE COMMAND…")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed := new(exec.ExitError)
		if !errors.As(err, &failed) {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code is %d, want %d", got, want)
	}
}

// served is a finarc mirror, or its pages, in the background.
type served struct {
	cmd *exec.Cmd
	url string
}

var (
	runningLock sync.Mutex
	running     = map[*testscript.TestScript][]*served{}
)

// serve FLAGS…: runs finarc mirror on a port of its own until the script's end
// or unserve, puts the address that it prints, without the slash at its end, into
// $MIRROR, and writes a crawler.yaml for it.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg, "serve FLAGS…")
	url := background(ts, `^serving \d+ posts? at (http://127\.0\.0\.1:\d+)/ until you press Ctrl-C\n$`,
		append([]string{"mirror", "--addr", "127.0.0.1:0"}, args...))
	ts.Setenv("MIRROR", url)
	ts.Check(os.WriteFile(ts.MkAbs("crawler.yaml"), []byte(configFor(url)), 0o666))
}

// reads FLAGS…: runs finarc serve on a port of its own until the script's end or
// unserve, and puts the address that it prints, without the slash at its end, into
// $PAGES.
func reads(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg, "reads FLAGS…")
	ts.Setenv("PAGES", background(ts, `^serving \S+ at (http://(?:127\.0\.0\.1|\[::\]):\d+)/ until you press Ctrl-C\n$`,
		append([]string{"serve"}, args...)))
}

// background runs finarc until the script's end or unserve, and returns what the
// first line that it prints has for the pattern.
func background(ts *testscript.TestScript, pattern string, args []string) string {
	cmd := exec.Command("finarc", args...)
	cmd.Stderr = ts.Stderr()
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"FINARC_ARCHIVE", "FINARC_SCHEDULE"} {
		if value := ts.Getenv(name); value != "" {
			cmd.Env = append(cmd.Environ(), name+"="+value)
		}
	}
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() { _ = cmd.Process.Kill() }) // it may have ended long ago
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ts.Check(err)
	found := regexp.MustCompile(pattern).FindStringSubmatch(line)
	if found == nil {
		ts.Fatalf("finarc %s prints %q", args[0], line)
	}
	runningLock.Lock()
	defer runningLock.Unlock()
	running[ts] = append(running[ts], &served{cmd, found[1]})
	return found[1]
}

// configFor returns a configuration that crawls the mirror at base, as fast as
// it answers.
func configFor(base string) string {
	return fmt.Sprintf(`archive: news.db
mirrors:
  - name: test
    site: %[1]s/
    share: %[1]s/html_News/NewsShare.html?infoCode={infoCode}
    text: %[1]s/NewsData/GetNewsText.do?id={infoCode}
limits:
  rate: 0
  retries: 0
`, base)
}

// unserve: ends the script's last mirror, or pages, as Ctrl-C does; it must end well.
func unserve(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 0, "unserve")
	runningLock.Lock()
	s := last(running[ts])
	running[ts] = running[ts][:len(running[ts])-1]
	runningLock.Unlock()
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	ts.Check(s.cmd.Wait())
}

// asked KIND N: the mirror was asked N times for pages of the kind, or of any
// kind (total), since the last look.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 2, "asked KIND N")
	kinds := requests(ts)
	if got := strconv.Itoa(kinds[args[0]]); got != args[1] {
		ts.Fatalf("the mirror was asked %s times for %s, want %s: %v", got, args[0], args[1], kinds)
	}
}

// awaits KIND N: waits until the mirror was asked N times for pages of the kind.
func awaits(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 2, "awaits KIND N")
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for requests(ts)[args[0]] < want {
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("the mirror is not asked for %s %d times: %v", args[0], want, requests(ts))
		}
	}
}

// requests returns how often the mirror was asked, by kind of page and in total.
func requests(ts *testscript.TestScript) map[string]int {
	var stats struct {
		Total int            `json:"total"`
		Kinds map[string]int `json:"kinds"`
	}
	ts.Check(json.Unmarshal(get(ts, ts.Getenv("MIRROR")+"/_mirror/requests"), &stats))
	stats.Kinds["total"] = stats.Total
	return stats.Kinds
}

// hook STATUS: serves a webhook that answers with the status, at $HOOK, until the
// script's end. Each body that is posted to it becomes a line of $WORK/hook.
func hook(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 1, "hook STATUS")
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	file := ts.MkAbs("hook")
	ts.Check(os.WriteFile(file, nil, 0o666))
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = io.Copy(f, r.Body)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			status = http.StatusInsufficientStorage
		}
		w.WriteHeader(status)
	}))
	ts.Defer(s.Close)
	ts.Setenv("HOOK", s.URL)
}

// fetch URL FILE: puts what the server answers into the file.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 2, "fetch URL FILE")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), get(ts, args[0]), 0o666))
}

func get(ts *testscript.TestScript, url string) []byte {
	res, err := http.Get(url)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	return body
}

// pick [--mentioned] FLAGS…: puts the first post that finarc list FLAGS… finds,
// or the first that mentions a security, into $CODE, $DIGITS (the code without
// its letters), $URL, $CATEGORY, $TAG, $DAY, and $SECURITY and $SECURITY_CODE.
func pick(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg, "pick [--mentioned] FLAGS…")
	mentioned := len(args) > 0 && args[0] == "--mentioned"
	if mentioned {
		args = args[1:]
	}
	ts.Check(ts.Exec("finarc", append([]string{"list", "--json"}, args...)...))
	list := ts.ReadFile("stdout")
	if mentioned {
		list = list[strings.LastIndex(list[:strings.Index(list, `"securities"`)], "\n")+1:]
	}
	first, _, _ := strings.Cut(list, "\n")
	var post struct {
		Code       string `json:"info_code"`
		ID         string `json:"id"`
		URL        string `json:"url"`
		Category   string `json:"category"`
		Tag        string `json:"tag"`
		Published  string `json:"published"`
		Securities []struct {
			Market int    `json:"market"`
			Code   string `json:"code"`
		} `json:"securities"`
	}
	ts.Check(json.Unmarshal([]byte(first), &post))
	for name, value := range map[string]string{
		"CODE": post.Code, "DIGITS": post.ID, "URL": post.URL, "CATEGORY": post.Category, "TAG": post.Tag,
		"DAY": post.Published[:len("2006-01-02")],
	} {
		ts.Setenv(name, value)
	}
	if len(post.Securities) > 0 {
		ts.Setenv("SECURITY", fmt.Sprintf("%d.%s", post.Securities[0].Market, post.Securities[0].Code))
		ts.Setenv("SECURITY_CODE", post.Securities[0].Code)
	}
}

// fields FILE NAME…: every line of the file is a JSON object that has exactly
// these fields; those with ? at their end may be lacking.
func fields(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) > 1, "fields FILE NAME…")
	text := ts.ReadFile(args[0])
	if text == "" {
		ts.Fatalf("%s is empty", args[0])
	}
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		for _, want := range args[1:] {
			name, optional := strings.CutSuffix(want, "?")
			if _, ok := object[name]; !ok && !optional {
				ts.Fatalf("no field %q in %s", name, line)
			}
			delete(object, name)
		}
		if len(object) > 0 {
			ts.Fatalf("fields that nobody knows of: %q", slices.Sorted(maps.Keys(object)))
		}
	}
}

// lines FILE N: the file has N lines.
func lines(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 2, "lines FILE N")
	if got := strconv.Itoa(strings.Count(ts.ReadFile(args[0]), "\n")); got != args[1] {
		ts.Fatalf("%s has %s lines, want %s", args[0], got, args[1])
	}
}

// patch FILE OLD NEW: replaces bytes, written as a Go string, by as many others
// wherever they are in a file.
func patch(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 3, "patch FILE OLD NEW")
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	was, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	now, err := strconv.Unquote(`"` + args[2] + `"`)
	ts.Check(err)
	if len(was) != len(now) || !bytes.Contains(data, []byte(was)) {
		ts.Fatalf("%s has no %q that %q could replace", path, was, now)
	}
	ts.Check(os.WriteFile(path, bytes.ReplaceAll(data, []byte(was), []byte(now)), 0o666))
}

// keep ARCHIVE TIME MODE FILE: takes a page into the archive, see [kept], as
// fetched at a time of RFC 3339.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 4, "keep ARCHIVE TIME MODE FILE")
	fetched, err := time.Parse(time.RFC3339, args[1])
	ts.Check(err)
	p, err := kept(fetched, news.Mode(args[2]), ts.ReadFile(args[3]))
	ts.Check(err)
	ts.Check(commit(context.Background(), ts.MkAbs(args[0]), p))
}

// kept returns post NW202112222222306968 as a page has it whose first line is
// the title and when it was published, and whose others are the body.
func kept(fetched time.Time, mode news.Mode, text string) (news.Captured, error) {
	const code = news.InfoCode("NW202112222222306968")
	head, body, _ := strings.Cut(text, "\n")
	title, when, _ := strings.Cut(head, " ")
	published, err := time.ParseInLocation(time.DateTime, when, news.Shanghai)
	return news.Captured{
		Post: news.Post{ID: code.ID(), InfoCode: code, Title: title, Published: published, Body: body, Category: "21caijing"},
		Capture: news.Capture{
			URL: "http://127.0.0.1/21caijing/2021/12/22/" + string(code) + ".html", Status: http.StatusOK,
			Fetched: fetched, Mode: mode, Mirror: "test", Kind: news.KindPost, Body: []byte(text),
		},
	}, err
}

// commit takes a post into the archive at path.
func commit(ctx context.Context, path string, p news.Captured) error {
	arc, err := archive.OpenOrCreate(ctx, path)
	if err != nil {
		return err
	}
	_, err = arc.Commit(ctx, &news.Batch{Posts: []news.Captured{p}})
	return err
}

// tree DIR FILE: writes the folder's files with size and time of change into
// the file, so that cmp can tell whether anything was touched.
func tree(ts *testscript.TestScript, neg bool, args []string) {
	wants(ts, !neg && len(args) == 2, "tree DIR FILE")
	var out bytes.Buffer
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&out, path, info.Size(), info.ModTime().UnixNano())
		}
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o666))
}
