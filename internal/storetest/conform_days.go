package storetest

import (
	"testing"

	"github.com/finarc/finarc/news"
)

// dayRules are of what a backfill asks.
var dayRules = []rule{
	{"what is known of a day is read in order, by portions", testKnownOn},
	{"days tell how their posts stand", testDays},
	{"a lead that was tried stays one, and one that failed does not", testTriedLeads},
	{"addresses that were in vain are remembered until the next try", testVain},
}

// nextDay is the first sample of the day after the first's.
const nextDay = 12 * 60

func testKnownOn(t *testing.T, s Store) {
	commit(t, s, news.Batch{
		Posts: []news.Captured{Sample(1)}, Found: []news.Wanted{WantedOf(2), WantedOf(5), WantedOf(nextDay), pageWanted()},
		Leads: []news.Wanted{WantedOf(4), WantedOf(3)}, Failed: []news.Wanted{failedIn(6, 1)},
	})
	var got []news.ID
	known, after := do[[]news.Wanted](t), news.ID("")
	for {
		some := known(s.KnownOn(t.Context(), 20211222, after, 2))
		if len(some) == 0 {
			break
		}
		for _, w := range some {
			got, after = append(got, w.ID), w.ID
		}
	}
	wantSame(t, "posts of the day", []news.ID{WantedOf(2).ID, WantedOf(3).ID, WantedOf(4).ID, WantedOf(5).ID, pageWanted().ID}, got)
	wantSame(t, "gone", []news.Wanted{failedIn(6, 1)}, known(s.GoneOn(t.Context(), 20211222, "", 9)))
	wantSame(t, "gone on another day", []news.Wanted(nil), known(s.GoneOn(t.Context(), 20211223, "", 9)))
	wantSame(t, "posts of no day", []news.Wanted(nil), known(s.KnownOn(t.Context(), 20211221, "", 9)))
	wantSame(t, "unknown", []news.Wanted{WantedOf(7)}, known(s.Unknown(t.Context(), []news.Wanted{
		WantedOf(1), WantedOf(2), WantedOf(3), WantedOf(6), WantedOf(7),
	})))
}

// pageWanted is a link to a post without infoCode.
func pageWanted() news.Wanted {
	return news.Wanted{ID: "20211222-00a1b2c3d4e5f607", Mirror: "m", FoundOn: "https://mirror.example/", Found: Noon}
}

func testDays(t *testing.T, s Store) {
	days := do[[]news.DayStanding](t)
	wantSame(t, "days of nothing", []news.DayStanding{}, days(s.Days(t.Context(), 0, 0)))
	dayless := pageWanted()
	dayless.ID = "00000000-00a1b2c3d4e5f607"
	commit(t, s, news.Batch{
		Posts: []news.Captured{Sample(1), Sample(2)}, Found: []news.Wanted{WantedOf(3), WantedOf(nextDay), dayless},
		Leads: []news.Wanted{WantedOf(4)}, Failed: []news.Wanted{failedIn(6, 1)},
	})
	first := news.DayStanding{Day: 20211222, Archived: 2, Gone: 1, NeverSeen: 2}
	second := news.DayStanding{Day: 20211223, NeverSeen: 1}
	wantSame(t, "days", []news.DayStanding{first, second}, days(s.Days(t.Context(), 0, 0)))
	wantSame(t, "up to a day", []news.DayStanding{first}, days(s.Days(t.Context(), 20211201, 20211222)))
	wantSame(t, "from a day", []news.DayStanding{second}, days(s.Days(t.Context(), 20211223, 0)))
}

func testTriedLeads(t *testing.T, s Store) {
	commit(t, s, news.Batch{Leads: []news.Wanted{WantedOf(1), WantedOf(2)}})
	commit(t, s, news.Batch{Tried: []news.Wanted{failedIn(1, 1)}, Failed: []news.Wanted{failedIn(2, 1)}})
	wantSame(t, "waiting", waiting{Leads: []news.Wanted{failedIn(1, 1)}, Failed: []news.Wanted{failedIn(2, 1)}}, waitingIn(t, s))
	commit(t, s, news.Batch{Tried: []news.Wanted{failedIn(2, 2)}})
	wantSame(t, "waiting", waiting{Leads: []news.Wanted{failedIn(1, 1), failedIn(2, 2)}}, waitingIn(t, s))
}

func testVain(t *testing.T, s Store) {
	found(t, s, WantedOf(1))
	tried := WantedOf(1)
	tried.Vain = []string{"https://mirror.example/share/1"}
	commit(t, s, news.Batch{Tried: []news.Wanted{tried}})
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{tried}}, waitingIn(t, s))
	commit(t, s, news.Batch{Tried: []news.Wanted{failedIn(1, 1)}})
	wantSame(t, "waiting", waiting{Frontier: []news.Wanted{failedIn(1, 1)}}, waitingIn(t, s))
}
