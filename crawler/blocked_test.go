package crawler_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestBlockedForAWhile: posts that met a block page, and went down as failed,
// are got once the mirror answers again and a list still names them.
func TestBlockedForAWhile(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1), path1: goodPage()})
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	a := newArchive(t)
	o := options(f.base, a)
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	if first := crawl(t, o); first.FailedPosts() != 1 {
		t.Fatalf("the first run: %+v", countsOf(first))
	}
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, goodPage()) })
	if second := crawl(t, o); second.New != 1 || !second.AddsUp() {
		t.Errorf("the second run: %+v", countsOf(second))
	}
}
