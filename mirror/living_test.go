package mirror_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/finarc/finarc/mirror"
	"github.com/finarc/finarc/news"
)

// hands is a clock that is set by hand.
type hands struct{ at atomic.Int64 }

func newHands(at time.Time) *hands {
	h := new(hands)
	h.at.Store(at.UnixNano())
	return h
}

func (h *hands) now() time.Time                      { return time.Unix(0, h.at.Load()).In(news.Shanghai) }
func (h *hands) pass(d time.Duration)                { h.at.Add(int64(d)) }
func (h *hands) set(at time.Time)                    { h.at.Store(at.UnixNano()) }
func (h *hands) life(l mirror.Living) *mirror.Living { l.Now = h.now; return &l }

// morning is when living mirrors of the tests begin to be looked at.
var morning = time.Date(2021, 12, 22, 9, 0, 0, 0, news.Shanghai)

const testWindow = 6 * time.Hour

func newLivingMirror(t testing.TB, l mirror.Living, faults ...mirror.Fault) (*mirror.Mirror, *hands) {
	t.Helper()
	h := newHands(morning)
	return newMirror(t, mirror.Options{
		Posts: 60, Categories: 6, Seed: 5, Window: testWindow, ShareOnly: 0.1, Base: "http://mirror.example",
		Living: h.life(l), Faults: faults,
	}), h
}

// TestLivingShows compares what the mirror tells of its posts with what it
// serves, at many moments of several windows.
func TestLivingShows(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{Revised: 0.3, Relaid: 0.3})
	begin := m.Len()
	for range 60 {
		from, to, err := m.ShownAt(h.now())
		if err != nil || to != m.Len() || to-from < 10 {
			t.Fatalf("at %v posts %d to %d of %d are shown, %v", h.now(), from, to, m.Len(), err)
		}
		sitemap := fetch(m, "/sitemap.xml")
		for i := max(0, from-20); i < to; i++ {
			checkLiving(t, m, i, i >= from, h.now(), sitemap)
		}
		h.pass(23 * time.Minute)
	}
	if m.Len() < 3*begin {
		t.Errorf("%d posts, then %d", begin, m.Len())
	}
}

// asJSON is a text as it stands in JSON.
func asJSON(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

func categoryOf(p news.Post) string {
	return "/category/" + strings.ReplaceAll(p.Category, " ", "%20") + ".html"
}

// checkLiving checks a post's pages, and where it is listed.
func checkLiving(t *testing.T, m *mirror.Mirror, i int, shown bool, now time.Time, sitemap string) {
	t.Helper()
	p, s := m.Post(i), m.Standing(i)
	life, err := m.Life(i)
	if err != nil || shown != life.Until.After(now) || life.Until.Sub(life.From) != testWindow || !life.From.Equal(p.Published) || s.Forgotten == shown {
		t.Fatalf("post %d, shown %t at %v: %+v, %+v, %v", i, shown, now, life, s, err)
	}
	if listed := strings.Contains(fetch(m, categoryOf(p)), string(p.ID)); listed != shown {
		t.Errorf("post %d, shown %t: listed %t", i, shown, listed)
	}
	if text := fetch(m, "/NewsData/GetNewsText.do?id="+string(p.InfoCode)); strings.Contains(text, asJSON(p.Title)) != shown {
		t.Errorf("post %d, shown %t: its text is %.200s", i, shown, text)
	}
	if s.Path == "" {
		return
	}
	page := fetch(m, s.Path)
	if shown != (strings.Contains(page, "<h1>"+strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(p.Title)+"</h1>") && strings.Contains(page, p.Body)) {
		t.Errorf("post %d, shown %t: its page is %.300s", i, shown, page)
	}
	if last := life.States[len(life.States)-1]; shown && strings.Contains(page, "广告：") != last.Relaid {
		t.Errorf("post %d: %+v, but %s", i, last, page)
	}
	if strings.Contains(sitemap, s.Path) != shown {
		t.Errorf("post %d, shown %t: the sitemap disagrees", i, shown)
	}
}

// TestLivingValidators asks for every kind of page again after each minute: 304
// stands for the same bytes, and other bytes have other validators.
func TestLivingValidators(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{Revised: 0.5, Relaid: 0.5})
	last := map[string]*http.Response{}
	bodies := map[string]string{}
	paths := []string{"/", "/feed.xml", "/sitemap.xml"}
	for i := range m.Len() {
		paths = append(paths, categoryOf(m.Post(i)))
		if s := m.Standing(i); s.Path != "" {
			paths = append(paths, s.Path)
		}
	}
	kept, changed := 0, 0
	for range 120 {
		for _, path := range paths {
			res := answerTo(m, path)
			body := res.body
			if before := last[path]; before != nil && before.StatusCode == 200 && res.StatusCode == 200 {
				same := body == bodies[path]
				for _, headers := range [][]string{{"If-None-Match", before.Header.Get("ETag")}, {"If-Modified-Since", before.Header.Get("Last-Modified")}} {
					if again := answerTo(m, path, headers...); again.StatusCode == 304 && !same {
						t.Fatalf("%s at %v: 304 by %v for another page", path, h.now(), headers)
					} else if again.StatusCode == 304 {
						kept++
					} else {
						changed++
					}
				}
			}
			last[path], bodies[path] = res.Response, body
			if again := answerTo(m, path, "If-None-Match", res.Header.Get("ETag")); res.StatusCode == 200 && again.StatusCode != 304 {
				t.Fatalf("%s at %v: %d though nothing changed", path, h.now(), again.StatusCode)
			}
		}
		h.pass(3 * time.Minute)
	}
	if kept < 1000 || changed < 500 {
		t.Errorf("%d answers of 304, %d others", kept, changed)
	}
}

type answered struct {
	*http.Response
	body string
}

// answerTo asks a mirror without a network.
func answerTo(m *mirror.Mirror, path string, headers ...string) answered {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)
	return answered{w.Result(), w.Body.String()}
}

// TestLivingRevisions: states and articles change together, and what was served
// at a moment can be told later.
func TestLivingRevisions(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{Revised: 0.5, Relaid: 0.5})
	h.pass(10 * testWindow)
	titles, texts, adverts := 0, 0, 0
	for i := range m.Len() {
		life, err := m.Life(i)
		if err != nil {
			t.Fatal(err)
		}
		before, err := m.PostAt(i, life.From)
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range life.States[1:] {
			now, err := m.PostAt(i, s.From)
			if err != nil || !s.From.After(life.From) || !s.From.Before(life.Until) {
				t.Fatalf("post %d: %+v, %v", i, life, err)
			}
			revised := s.Revision > life.States[k].Revision
			if changed := !reflect.DeepEqual(before, now); changed != revised {
				t.Errorf("post %d at %v: changed %t, revised %t", i, s.From, changed, revised)
			}
			if before.Title != now.Title {
				titles++
			} else if revised {
				texts++
			} else {
				adverts++
			}
			before = now
		}
	}
	if titles < 50 || texts < 50 || adverts < 50 {
		t.Errorf("of %d posts %d titles, %d texts and %d adverts changed", m.Len(), titles, texts, adverts)
	}
}

// TestLivingIsTheSame: what is served depends on options and time alone, in
// whatever order it is asked for.
func TestLivingIsTheSame(t *testing.T) {
	l := mirror.Living{Revised: 0.4, Relaid: 0.4, KeepShared: true}
	one, at := newLivingMirror(t, l)
	two, other := newLivingMirror(t, l)
	other.pass(9 * testWindow)
	fetch(two, "/sitemap.xml")
	for range 5 {
		at.pass(97 * time.Minute)
		other.set(at.now())
		paths := []string{"/", "/feed.xml", "/sitemap.xml"}
		for i := range one.Len() {
			paths = append(paths, one.Standing(i).Path, "/html_News/NewsShare.html?infoCode="+string(one.Post(i).InfoCode))
		}
		for _, path := range paths {
			if path != "" && fetch(one, path) != fetch(two, path) {
				t.Errorf("%s at %v differs", path, at.now())
			}
		}
		other.pass(3 * testWindow)
		fetch(two, "/")
	}
}

func TestLivingKeepsShared(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{Revised: 0.5, KeepShared: true})
	h.pass(50 * testWindow)
	for i := 0; i < m.Len(); i += 97 {
		p := m.Post(i)
		text := fetch(m, "/NewsData/GetNewsText.do?id="+string(p.InfoCode))
		if !strings.Contains(text, asJSON(p.Title)) || m.Standing(i).Best == "" {
			t.Errorf("post %d, %+v: its text is %s", i, m.Standing(i), text)
		}
	}
	if text := fetch(m, "/NewsData/GetNewsText.do?id=NW203012222222306968"); strings.Contains(text, "<p>") {
		t.Errorf("a post that is not there has the text %s", text)
	}
}

// TestLivingFaults: pages fail and heal when the truth says so.
func TestLivingFaults(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{}, mirror.Fault{Name: "ailing", Share: 0.5}, mirror.Fault{Name: "outages"})
	base := serve(t, m)
	kinds := map[string]int{}
	failed := 0
	for range 300 {
		outage, err := m.OutageAt(h.now())
		if err != nil {
			t.Fatal(err)
		}
		kinds[outage]++
		from, to, _ := m.ShownAt(h.now())
		i := from + int(h.now().Unix()/60)%(to-from)
		life, err := m.Life(i)
		path := m.Standing(i).Path
		if err != nil || path == "" {
			h.pass(4 * time.Minute)
			continue
		}
		ill := !h.now().Before(life.Fails) && h.now().Before(life.Heals)
		if ill {
			failed++
		}
		down := outage != "" && outage != "down-home"
		if ok := answers(t, base+path); ok == (ill || down) {
			t.Errorf("post %d at %v: answered %t, ill %t, outage %q", i, h.now(), ok, ill, outage)
		}
		if ok := answers(t, base+"/"); ok != (outage == "") {
			t.Errorf("home at %v: answered %t, outage %q", h.now(), ok, outage)
		}
		h.pass(4 * time.Minute)
	}
	if len(kinds) < 3 || kinds[""] < 200 || failed < 3 {
		t.Errorf("outages %v, %d pages failed", kinds, failed)
	}
}

// answers reports whether an address answers 200.
func answers(t *testing.T, address string) bool {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(address)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err == nil && resp.StatusCode == http.StatusOK
}

func TestLivingOptions(t *testing.T) {
	for name, o := range map[string]mirror.Options{
		"revised":  {Living: &mirror.Living{Revised: 2}},
		"relaid":   {Living: &mirror.Living{Relaid: -1}},
		"weekends": {Living: &mirror.Living{Weekends: 1}},
		"too many": {Living: &mirror.Living{}, Posts: 200_000},
		"ailing":   {Faults: []mirror.Fault{{Name: "ailing"}}},
		"outages":  {Faults: []mirror.Fault{{Name: "outages"}}},
	} {
		if _, err := mirror.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m, h := newLivingMirror(t, mirror.Living{})
	_, publish := m.Publish(1)
	_, forget := m.Forget(time.Time{})
	for _, err := range []error{publish, forget, m.Revise("202112222222306968")} {
		if !errors.Is(err, mirror.ErrLiving) {
			t.Errorf("got %v, want ErrLiving", err)
		}
	}
	_, ahead := m.PostAt(0, h.now().Add(time.Hour))
	_, _, shown := m.ShownAt(h.now().Add(time.Hour))
	_, life := m.Life(m.Len())
	_, still := newMirror(t, mirror.Options{}).Life(0)
	for _, err := range []error{ahead, shown, life, still} {
		if err == nil {
			t.Error("what is yet to come, or does not live, is told")
		}
	}
}

// TestLivingTakesLittleMemory lets some 600,000 posts come and go.
func TestLivingTakesLittleMemory(t *testing.T) {
	h := newHands(morning)
	m := newMirror(t, mirror.Options{Posts: 2000, Categories: 20, Window: 12 * time.Hour, CacheBytes: -1, Living: h.life(*mirror.DefaultLiving())})
	var early uint64
	for n := range 300 {
		fetch(m, "/sitemap.xml")
		fetch(m, fmt.Sprintf("/%d", n))
		if h.pass(11 * time.Hour); n == 20 {
			early = heap()
		}
	}
	late := heap()
	t.Logf("%d posts: %d KiB, then %d", m.Len(), early>>10, late>>10)
	if late > early+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", early, late)
	}
}

// TestLivingWeekends: less is published at weekends, and as much in a week.
func TestLivingWeekends(t *testing.T) {
	count := func(weekends float64) (days [7]int, week int) {
		h := newHands(morning)
		m := newMirror(t, mirror.Options{Posts: 300, Categories: 6, Seed: 5, Living: h.life(mirror.Living{Weekends: weekends})})
		h.pass(4 * 7 * 24 * time.Hour)
		for i := range m.Len() {
			life, err := m.Life(i)
			if err != nil {
				t.Fatal(err)
			}
			if !life.From.Before(morning) {
				days[life.From.Weekday()]++
				week++
			}
		}
		return days, week
	}
	_, even := count(0)
	days, week := count(0.75)
	if week < even-5 || week > even+5 {
		t.Errorf("%d posts in four weeks, where all days are the same %d", week, even)
	}
	if days[time.Saturday] > days[time.Wednesday]/3 || days[time.Sunday] > days[time.Monday]/3 {
		t.Errorf("posts by the day of the week: %v", days)
	}
}

// TestLivingTogether asks from many sides while the clock runs.
func TestLivingTogether(t *testing.T) {
	m, h := newLivingMirror(t, mirror.Living{Revised: 0.3, Relaid: 0.3})
	var all sync.WaitGroup
	for k := range 4 {
		all.Go(func() {
			for n := range 100 {
				fetch(m, [...]string{"/", "/feed.xml", "/sitemap.xml", "/x" + m.Standing(n%40).Path}[(n+k)%4])
				h.pass(time.Minute)
			}
		})
	}
	all.Wait()
}
