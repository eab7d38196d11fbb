package mirror

import (
	"sort"
	"strconv"
	"time"

	"github.com/finarc/finarc/news"
)

// schedule tells when posts are published, without end: at every hour of the week
// as many as its weight asks for. When a post appears follows from its number, and how
// many there are from the time, so nothing of it is held.
type schedule struct {
	seed       uint64
	epoch, end int64                   // no post is published before epoch, or from end on
	most       int                     // how many are published before end
	weights    [hoursAWeek]float64     // from Monday on
	sums       [hoursAWeek + 1]float64 // of those before
	begin      float64                 // the weight that had passed by epoch
	step       float64                 // the weight that passes from one post to the next
}

func newSchedule(o *Options) *schedule {
	s := &schedule{
		seed:  o.Seed,
		epoch: o.Newest.Add(-o.Window).Unix(),
		end:   time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, news.Shanghai).Unix(),
	}
	for h := range hoursAWeek {
		s.weights[h] = hours[h%len(hours)]
		if h >= 5*len(hours) {
			s.weights[h] *= 1 - o.Living.Weekends
		}
		s.sums[h+1] = s.sums[h] + s.weights[h]
	}
	s.begin = s.passed(s.epoch)
	s.step = s.sums[hoursAWeek] / (7 * o.aDay())
	s.most = int((s.passed(s.end) - s.begin) / s.step)
	return s
}

const (
	hoursAWeek     = 7 * len(hours)
	secondsAnHour  = 60 * 60
	secondsAWeek   = int64(hoursAWeek) * secondsAnHour
	monday         = 3 * 24 * secondsAnHour // before 1970-01-01, a Thursday
	beforeShanghai = monday + 8*secondsAnHour
)

// passed returns the weight of the hours that had passed at a moment.
func (s *schedule) passed(at int64) float64 {
	at += beforeShanghai
	week, second := at/secondsAWeek, at%secondsAWeek
	hour := second / secondsAnHour
	part := float64(second%secondsAnHour) / secondsAnHour
	return float64(week)*s.sums[hoursAWeek] + s.sums[hour] + part*s.weights[hour]
}

// when is the inverse of passed.
func (s *schedule) when(weight float64) int64 {
	week := int64(weight / s.sums[hoursAWeek])
	weight -= float64(week) * s.sums[hoursAWeek]
	hour := min(max(0, sort.SearchFloat64s(s.sums[:], weight)-1), hoursAWeek-1)
	part := (weight - s.sums[hour]) / s.weights[hour]
	return week*secondsAWeek + int64(hour)*secondsAnHour + int64(part*secondsAnHour) - beforeShanghai
}

// published returns when the post of a number is published, in Unix seconds:
// each later than the one before.
func (s *schedule) published(number int) int64 {
	if number >= s.most {
		return s.end
	}
	late := float64(scatter(s.seed^scatter(uint64(number)+1))>>11) / (1 << 53) / 2
	return s.when(s.begin + (float64(number)+late)*s.step)
}

// count returns how many posts are published up to a moment.
func (s *schedule) count(at int64) int {
	if at < s.epoch {
		return 0
	}
	n := min(int((s.passed(min(at, s.end))-s.begin)/s.step), s.most)
	for n > 0 && s.published(n-1) > at {
		n--
	}
	for n < s.most && s.published(n) <= at {
		n++
	}
	return n
}

// timeOfSerial returns about when the post of an infoCode was published, in
// Unix seconds.
func timeOfSerial(code news.InfoCode) int64 {
	const day = len("20211222")
	digits := code.Digits()
	if len(digits) < day {
		return 0
	}
	serial, err := strconv.ParseInt(digits[day:], 10, 64)
	if err != nil {
		return 0
	}
	return serialEpoch + (serial-serialBase)*10/129
}
