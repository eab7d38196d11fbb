package warc

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/finarc/finarc/internal/realtest"
	"github.com/google/go-cmp/cmp"
)

// judgement is what warcio finds in a record.
type judgement struct {
	Type, ID, URI, Date, Status string
	Said, Found                 string // payload digests
	BlockSaid, BlockFound       string
}

// warcio runs a program of a Node.js project, and returns what it prints.
func warcio(t *testing.T, dir, node, input string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%q: %v\n%s", args, err, &errs)
	}
	return out.String()
}

// TestOthersReadWARC lets warcio, which we did not write, read files of everything
// that is exported and of drawn content: it must find every record, and the digests
// that they claim, and make the same indexes. Conversions, which it lists too, are
// left out of ours, since players take the first entry of an address for its page.
func TestOthersReadWARC(t *testing.T) {
	dir, node := realtest.Node(t, filepath.Join("testdata", "judge"))
	list := append(samples(), drawn(rand.New(rand.NewPCG(7, 7)), 150)...)
	o := withText(options())
	o.MaxSize = 200_000
	out, report := export(t, list, o)
	for _, f := range report.Files {
		name := filepath.Join(out, f.Path)
		var want, got []judgement
		for _, h := range readAll(t, readFile(t, name)) {
			j := judgement{
				Type: h.kind, ID: h.fields["WARC-Record-ID"], URI: h.fields["WARC-Target-URI"], Date: h.fields["WARC-Date"],
				Said: h.fields["WARC-Payload-Digest"], BlockSaid: h.fields["WARC-Block-Digest"],
			}
			switch {
			case strings.HasSuffix(h.fields["WARC-Profile"], "/server-not-modified"):
				j.Status = "304"
			case h.kind == typeResponse, h.kind == typeRevisit:
				j.Status = "200"
			}
			j.Found, j.BlockFound = j.Said, j.BlockSaid
			want = append(want, j)
		}
		for line := range strings.Lines(warcio(t, dir, node, "", "judge.mjs", "records", name)) {
			var j judgement
			if err := json.Unmarshal([]byte(line), &j); err != nil {
				t.Fatal(err)
			}
			if j.Said == "" {
				j.Found = "" // it finds one of warcinfo and metadata, which have none
			}
			got = append(got, j)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-finarc +warcio):\n%.4000s", f.Path, diff)
		}
		var lines []string
		for line := range strings.Lines(warcio(t, dir, node, "", filepath.Join("node_modules", "warcio", "dist", "cli.js"), "cdx-index", "--format", "cdxj", name)) {
			if !strings.Contains(line, `"mime":"`+mediaText+`"`) {
				lines = append(lines, line)
			}
		}
		slices.Sort(lines)
		index := strings.TrimSuffix(name, fileSuffix) + indexSuffix
		if diff := cmp.Diff(strings.Join(lines, ""), string(readFile(t, index))); diff != "" {
			t.Errorf("%s (-warcio +finarc):\n%.4000s", filepath.Base(index), diff)
		}
	}
	var addresses []string
	for _, pair := range surts {
		addresses = append(addresses, pair[0])
	}
	input, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(strings.TrimSpace(warcio(t, dir, node, string(input), "judge.mjs", "surt")), "\n")
	for i, pair := range surts {
		var key string
		if err := json.Unmarshal([]byte(keys[i]), &key); err != nil || key != pair[1] {
			t.Errorf("%s: warcio makes %s of it, want %s", pair[0], keys[i], pair[1])
		}
	}
}
