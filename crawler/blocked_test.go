package crawler_test

import (
	"fmt"
	"net/http"
	"testing"
)

// TestBlockedForAWhile: posts for which the mirror turned the crawler away are
// got once it answers again.
func TestBlockedForAWhile(t *testing.T) {
	f := newFixture(t, map[string]string{"/": listPage(path1), path1: goodPage()})
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	a := newArchive(t)
	o := options(f.base, a)
	o.Mirrors[0].Share, o.Mirrors[0].Text = "", ""
	if first := crawl(t, o); first.Pending != 1 {
		t.Fatalf("the first run: %+v", countsOf(first))
	}
	f.answer(path1, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, goodPage()) })
	o.Now = tomorrow
	if second := crawl(t, o); second.New != 1 || !second.AddsUp() {
		t.Errorf("the second run: %+v", countsOf(second))
	}
}
