package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// TestMessages: each is there in both languages, takes the same values in both, and
// is said somewhere; and nothing else is said.
func TestMessages(t *testing.T) {
	said := map[message]bool{
		"by hour": true, "by category": true, "by outlet": true, // waysBy.Name
		"live": true, "backfill": true, "import": true, // postPage.ModeName
	}
	verbs := regexp.MustCompile(`%[0-9.]*[a-z]`)
	for m, texts := range messages {
		for l, text := range texts {
			if text == "" {
				t.Errorf("%q has no text in %s", m, lang(l).tag())
			}
		}
		if zh, en := verbs.FindAllString(texts[chinese], -1), verbs.FindAllString(texts[english], -1); strings.Join(zh, " ") != strings.Join(en, " ") {
			t.Errorf("%q takes %v in Chinese and %v in English", m, zh, en)
		}
	}
	for _, text := range sources(t) {
		for _, found := range regexp.MustCompile(`\.T "([^"]+)"`).FindAllStringSubmatch(text, -1) {
			said[message(found[1])] = true
		}
	}
	for _, name := range inGo {
		said[name] = true
	}
	for m := range said {
		if _, ok := messages[m]; !ok {
			t.Errorf("%q is said, and no message", m)
		}
	}
	for m := range messages {
		if !said[m] {
			t.Errorf("%q is never said", m)
		}
	}
}

// sources returns the texts of the templates.
func sources(t *testing.T) []string {
	t.Helper()
	var texts []string
	err := fs.WalkDir(templateFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := templateFiles.ReadFile(path)
		texts = append(texts, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// inGo are the messages that are chosen in Go.
var inGo = []message{
	msgWeekdays,
	msgBadRequest, msgBadQuery, msgLongQuery, msgMethod, msgWho, msgGuesses, msgHost, msgNoPage, msgNoPost, msgNoRevision, msgNoCategory,
	msgNoSecurity, msgNoRun, msgLost, msgBusy, msgNoArchive, msgSlow, msgMany, msgNoIndex, msgFault,
	msgRuns, msgRun, msgCategories, msgCoverage, msgSearch, msgSearchFor, msgDiffOf, msgOriginalOf,
	msgPostsByHour, msgPostsByDay, msgMentionsByDay, msgHeatPosts, msgHeatUsual, msgHeatGap, msgFetchedFrom, msgSharePage, msgTextPage,
	msgNew, msgRevised, msgUnchanged, msgSkipped, msgFailed, msgPending, msgRead, msgNotModified, msgGone, msgDisallowed, msgNotDue,
}
