package news

import "time"

// Wanted is a post that is known by a link: an entry of the crawl's frontier,
// or a lead for a backfill.
type Wanted struct {
	ID       ID
	InfoCode InfoCode // as fully spelled as any link has it; empty for pages without
	Mirror   string   // the mirror that first linked it
	Pages    []string // its addresses on mirrors' sites, in the order found
	// Category is the name of the category page that lists it, where one does.
	Category string
	FoundOn  string    // the address of the page that first linked it
	Found    time.Time // when
	Attempts int       // runs that tried to get it
	Run      uint64    // the last run that tried
	Error    string    // why that run did not get it
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
	Run    *Run       // the run's report so far
}

// Captured is a capture and the post that was read from it. In [Batch.Unread]
// only the post's ID is set, and Wanted.Error says what is wrong.
type Captured struct {
	Post    Post
	Capture Capture
	Wanted  Wanted // the frontier entry that it answers
}

// Change tells what an archived capture was to the archive.
type Change string

// What a capture can be.
const (
	ChangeNew       Change = "new"       // the first of its post
	ChangeRevised   Change = "revised"   // other content than the last
	ChangeUnchanged Change = "unchanged" // the same content: only last_seen moved
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
}
