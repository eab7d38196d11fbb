package mirror

import (
	"math/rand/v2"

	"github.com/finarc/finarc/news"
)

// fate is what happens to a post while it is shown. Times are Unix seconds, 0
// for never.
type fate struct {
	titled       int64    // when its title is changed
	amended      [2]int64 // when its text is
	relaid       int64    // when its page gets another advert
	fails, heals int64    // from when to when its page fails, if it has the fault
	illness      faultID  // how
	everywhere   bool     // and its share and text pages too
}

// lifeSeed keeps what is drawn of a post's life apart from what is drawn of the
// post.
const lifeSeed = 0x6c69766573

// A page that fails for a while does so for these many seconds.
const (
	shortestIllness = 5 * 60
	longestIllness  = 50 * 60
)

// fateOf draws the fate of a post.
func (l *living) fateOf(e *entry) fate {
	dice := rand.New(rand.NewPCG(l.model.seed^lifeSeed, stream(streamEntry, int(e.number))))
	soon := func() int64 { // most often soon after publication, and before the end
		x := dice.Float64()
		return e.published + 1 + int64(x*x*x*float64(l.window-2))
	}
	var f fate
	revised, kind := dice.Float64() < l.options.Revised, dice.IntN(10)
	times := [...]int64{soon(), soon(), soon(), soon()}
	if revised && e.fault == faultNoCode {
		f.titled = times[0] // such a note's text is too short for more
	} else if revised && e.fault == faultNoTitle {
		f.amended[0] = times[0]
	} else if revised {
		f.revise(kind, times[0], times[1])
	}
	if dice.Float64() < l.options.Relaid {
		f.relaid = times[2]
	}
	f.fails = times[3]
	f.heals = f.fails + min(shortestIllness+dice.Int64N(longestIllness-shortestIllness), l.window/4)
	f.illness = illnesses[dice.IntN(len(illnesses))]
	f.everywhere = dice.IntN(2) == 0
	return f
}

// revise lets the title change, or the text, or both, or the text twice.
func (f *fate) revise(kind int, first, second int64) {
	switch {
	case kind < 3:
		f.titled = first
	case kind < 8:
		f.amended[0] = first
	case kind < 9:
		f.titled, f.amended[0] = first, second
	default:
		f.amended = [2]int64{min(first, second), max(first, second)}
	}
}

// events returns when the post changes, 0 where it does not.
func (f *fate) events() [4]int64 {
	return [...]int64{f.titled, f.amended[0], f.amended[1], f.relaid}
}

// apply makes the entry that of a moment and returns its revision.
func (f *fate) apply(e *entry, at int64) revision {
	happened := func(event int64) bool { return event != 0 && event <= at }
	rev := revision{at: e.published}
	if happened(f.titled) {
		e.flags |= retitled
		rev.titled = f.titled
		rev.at = f.titled
	}
	for _, amended := range f.amended {
		if happened(amended) {
			rev.number++
			rev.at = max(rev.at, amended)
		}
	}
	if happened(f.relaid) {
		e.flags |= relaid
		rev.relaid = f.relaid
	}
	return rev
}

// illnesses are the ways in which pages, and the whole host, fail for a while.
var illnesses = [...]faultID{fault503, fault503, fault500, faultReset, faultClose}

// failing returns how a page of a post that has the fault fails at a moment.
func (f *fate) failing(at int64, kind news.PageKind) faultID {
	if at < f.fails || at >= f.heals || kind != news.KindPost && !f.everywhere {
		return faultNone
	}
	return f.illness
}

// The whole host fails about once in so many seconds, for as many as these.
const (
	outagePeriod   = 6 * 60 * 60
	shortestOutage = 5 * 60
	longestOutage  = 40 * 60
)

// outage returns how the whole host fails at a moment.
func (l *living) outage(at int64) faultID {
	if !l.model.faults.siteWide[faultOutages] {
		return faultNone
	}
	period := at / outagePeriod
	dice := rand.New(rand.NewPCG(l.model.seed^lifeSeed, uint64(period)))
	length := shortestOutage + dice.Int64N(longestOutage-shortestOutage)
	begin := period*outagePeriod + dice.Int64N(outagePeriod-length)
	kind := dice.IntN(len(illnesses) + 1)
	if at < begin || at >= begin+length {
		return faultNone
	}
	if kind == len(illnesses) {
		return faultDownHome
	}
	return illnesses[kind]
}
