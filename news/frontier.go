package news

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"strings"
	"time"
)

// Wanted is a post that is known by a link: an entry of the crawl's frontier,
// or a lead for a backfill.
type Wanted struct {
	ID       ID
	InfoCode InfoCode // as fully spelled as any link has it; empty for pages without
	Mirror   string   // the mirror that first linked it
	Also     []string // other mirrors that do
	Pages    []string // its addresses on mirrors' sites, in the order found
	// Category is the name of the category page that lists it, where one does.
	Category string
	FoundOn  string    // the address of the page that first linked it
	Found    time.Time // when
	Attempts int       // runs that tried to get it
	Run      uint64    // the last run that tried
	Error    string    // why that run did not get it
	// Next is the time before which it is not to be tried again; zero: at once.
	Next time.Time
	// TitleSum is the [TitleSum] of the title that a list shows for it; 0 where
	// none does. It is that of a list of Mirror, where one shows a title.
	TitleSum uint32
	// Vain are the addresses that said, in a run that ended before it had asked
	// at all of them, that they do not have the post: the next run goes on with
	// the others.
	Vain []string
	// Others are the titles that lists of other mirrors show for it, where they
	// differ from TitleSum, in order of the mirrors' names.
	Others []OtherTitle
	// Of is the post whose page on another mirror is wanted, since that mirror's
	// lists show a title for it that no held revision has; empty for all other
	// entries. The ID of such an entry is its [OtherID].
	Of ID
}

// OtherTitle is what a list of one mirror shows for a post that others call
// otherwise.
type OtherTitle struct {
	Mirror   string
	Page     string // the post's address there
	TitleSum uint32 // see [TitleSum]
}

// OtherID returns the identity under which the page of a post is wanted that
// another mirror shows under a title with the given sum: the post's day, and a
// hash of both.
func OtherID(of ID, titleSum uint32) ID {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %08x", of, titleSum))
	return ID(fmt.Sprintf("%08d-%x", int(of.Day()), sum[:8]))
}

// TitleSum returns a checksum of a title, by which a page can be told from that
// of another post. White space does not count in it. It is 0 for no title, and
// for no other.
func TitleSum(title string) uint32 {
	squeezed := strings.Join(strings.Fields(title), "")
	if squeezed == "" {
		return 0
	}
	return max(1, crc32.ChecksumIEEE([]byte(squeezed)))
}

// Held is a post that the archive holds, with what it takes to look at it again.
type Held struct {
	Wanted
	Copies []Copy // the newest of each mirror
}

// Copy tells of a capture by which it can be asked for again.
type Copy struct {
	Mirror       string
	URL          string
	Kind         PageKind
	ETag         string // the answer's validators
	LastModified string // likewise, as the server wrote it
}

// Seen says that a server still has a capture that the archive holds, without
// having sent it again (304).
type Seen struct {
	ID     ID
	Mirror string
	Answer Revisit
}

// Host is what is remembered of a host from one run to the next.
type Host struct {
	Origin string // scheme://host[:port]
	Robots Robots
	Paused time.Time // until when it wants to be left alone (Retry-After, Crawl-delay); zero: it does not
}

// Robots is a host's robots.txt as it was last had. The zero Robots is none.
type Robots struct {
	Status  int       // 200: Body has the rules; any other: there are none
	Body    []byte    // at most 500 KiB of it (RFC 9309, 2.5)
	Fetched time.Time // zero: never had
}

// ListPage is what the archive keeps of a page that lists posts, so that it
// need not be read again while it stays the same.
type ListPage struct {
	URL          string
	Mirror       string
	Kind         PageKind
	ETag         string    // validators of the last answer that was read
	LastModified string    // likewise, as the server wrote it
	Read         time.Time // when an answer was last read to its end
	Checked      time.Time // when the server last answered, 304 included
	Gone         time.Time // since when the server answers 404 or 410; zero if it does not
	Depth        int       // how many links lead to it from the home page, as it was first found
	// Moved is when the page last changed, as the mirror's sitemap tells; zero
	// where it does not.
	Moved  time.Time
	Visits Visits // what earlier visits taught of it
}

// Visits is what the visits to a list page have taught of how often posts come
// to it, as package revisit reckons it. What is long ago counts for less, so
// that the numbers are no whole ones.
type Visits struct {
	Posts float64 // that came, as far as it is known by which page
	Hours float64 // in which they came, each worth as much as is usual for it
	Told  float64 // of Posts, those of which the home page, feed or sitemap told first
	Alone float64 // of Posts, those that no other page had told of
	Since int     // posts of the page that others have told of since it was last asked for
}

// HourCount is how many posts were published in an hour.
type HourCount struct {
	Hour  time.Time // its beginning
	Posts int
}

// Batch is everything that a stretch of crawling learned. The archive takes it
// whole or not at all.
type Batch struct {
	Posts  []Captured // fetched and read
	Unread []Captured // fetched, but not readable as the post that was asked for: kept raw, apart
	Found  []Wanted   // linked posts, to be fetched unless archived
	Leads  []Wanted   // related posts, recorded for backfills
	Tried  []Wanted   // not to be had now: they stay in the frontier
	Failed []Wanted   // not to be had for good: Error tells why
	Lists  []ListPage // list pages found, or read
	Seen   []Seen     // held posts that are as they were
	Hosts  []Host     // what is to be remembered of hosts
	Run    *Run       // the run's report so far
	// Attempts is in how many runs a failed post is tried that a list goes on
	// linking: one of Found that failed in as many stays failed.
	Attempts int
}

// Captured is a capture and the post that was read from it. In [Batch.Unread]
// only the post's ID is set, and Wanted.Error says what is wrong.
type Captured struct {
	Post    Post
	Capture Capture
	Wanted  Wanted // the frontier entry that it answers
	// Revisit is set where a record of another crawler says that a server still had a
	// capture that is held: Capture is that, at the record's time, and Revisit what the
	// record tells of the answer, if anything.
	Revisit *Revisit
}

// Answer returns what the server said, as a revisit of a page with the same bytes. Its
// Status is 0 where nothing is known of it but its time.
func (c *Captured) Answer() Revisit {
	if c.Revisit == nil {
		return RevisitOf(&c.Capture)
	}
	r := *c.Revisit
	r.Time = c.Capture.Fetched
	return r
}

// Change tells what an archived capture was to the archive.
type Change string

// What a capture can be.
const (
	ChangeNew       Change = "new"       // the first of its post
	ChangeRevised   Change = "revised"   // other content than the last
	ChangeUnchanged Change = "unchanged" // the same content: only last_seen moved
	// ChangeDiffers is as ChangeRevised, but the last capture is another
	// mirror's, and of this mirror there is none with this content: the mirrors
	// disagree about the post.
	ChangeDiffers Change = "differs"
)

// Standing tells how the archive knows a found post.
type Standing string

// How a found post can stand.
const (
	StandingNew      Standing = "new"      // not known before: now in the frontier
	StandingPending  Standing = "pending"  // in the frontier since an earlier run
	StandingArchived Standing = "archived" // held
	StandingFailed   Standing = "failed"   // tried before, and not to be had
)

// Committed tells what a committed batch was to the archive.
type Committed struct {
	Posts []Change   // of each of Batch.Posts
	Found []Standing // of each of Batch.Found
	Leads int        // how many of Batch.Leads were not known before
	// Others is how many pages of posts that mirrors disagree about came into the
	// frontier, see [Wanted.Of].
	Others int
}
