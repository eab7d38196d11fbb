package news

import "time"

// Backfill is what a run that fetches the posts of some days was asked for, and
// how the posts of these days stood when it ended.
type Backfill struct {
	From Day `json:"from"` // the first day
	To   Day `json:"to"`   // the last day
	// Newest says that the days were taken newest first.
	Newest bool `json:"newest_first"`
	// Began is when the first of the runs began that this one goes on with: list
	// pages that they read were not asked for again.
	Began time.Time `json:"began"`
	// Done are the days of which posts were asked for, and all of them, in that
	// order; one that was taken up again for a post that another day's named
	// stands there again.
	Done []Day `json:"done"`
	// Days tells of each day of which anything is known, in order.
	Days []DayStanding `json:"days"`
}

// DayStanding tells how the known posts of a day stand.
type DayStanding struct {
	Day      Day `json:"day"`
	Archived int `json:"archived"`
	Gone     int `json:"gone"` // asked for, and no source has them
	// NeverSeen counts those that are named by a link, a related report or a
	// list of codes, and of which no source has said yet whether it has them.
	NeverSeen int `json:"never_seen"`
}

// Known returns how many posts of the day are known.
func (d *DayStanding) Known() int { return d.Archived + d.Gone + d.NeverSeen }

func (b *Backfill) clone() *Backfill {
	c := *b
	c.Done, c.Days = append([]Day{}, b.Done...), append([]DayStanding{}, b.Days...)
	return &c
}
