package mirror

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is something that goes wrong on a mirror.
type Fault struct {
	Name string // one of those that [Faults] lists
	// Share is the share of posts that have it, above 0 and up to 1, chosen by
	// a hash of the page's path; 0 stands for [DefaultFaultShare]. Site-wide
	// faults have none: they are there or not.
	Share float64
}

// DefaultFaultShare is the share of posts that a fault without a share hits.
const DefaultFaultShare = 0.1

// FaultInfo tells what a fault is.
type FaultInfo struct {
	Name  string
	About string
	// SiteWide faults hit list pages; the others hit pages of posts, never
	// their share and text pages unless About says so.
	SiteWide bool
}

// faultID is a fault's place in Faults, from 1; 0 is none.
type faultID uint8

const (
	faultNone faultID = iota
	faultDownHome
	faultNoCategories
	faultCut
	faultHuge
	faultMislabel
	faultGBK
	faultNoTitle
	faultNoDate
	faultNoCode
	faultEmpty
	faultFlaky
	fault500
	fault404
	faultGone
	faultSlow
	faultUnsteady
	faultAiling
	faultOutages

	// What these three, and flaky, do now and then.
	fault503
	fault429
	faultReset
	faultClose
)

// Faults lists what can go wrong, in the order of the program's help.
func Faults() []FaultInfo {
	return []FaultInfo{
		{"down-home", "home answers 404", true},
		{"no-categories", "home is there, but lists no post", true},
		{"cut", "the connection ends before the announced length", false},
		{"huge", "the answer is longer than 8 MiB", false},
		{"mislabel", "GBK bytes that header and page call UTF-8", false},
		{"gbk", "GBK bytes that header and page call GBK", false},
		{"notitle", "the post has no title, on lists and share pages neither", false},
		{"nodate", "the post has no date, on share pages neither", false},
		{"nocode", "the site's own note, such as 开站大吉: no infoCode on page and path, no share page", false},
		{"empty", "200 with an empty body", false},
		{"flaky", "the first answer to a path is 503, the next ones are fine", false},
		{"500", "always 500", false},
		{"404", "the site lists the post, but its page is missing; share and text have it", false},
		{"gone", "the site lists the post, but it is missing everywhere", false},
		{"slow", "the answer takes 200 ms", false},
		{"unsteady", "the first answer to a path fails: 503, 500, 429, reset, cut or none at all; lists, share and text too", false},
		{"ailing", "the page fails for some minutes, half of the time with share and text; needs a living mirror", false},
		{"outages", "the host fails for some minutes, every few hours; needs a living mirror", true},
	}
}

func (id faultID) name() string {
	if id == faultNone {
		return ""
	}
	if all := Faults(); int(id) <= len(all) {
		return all[id-1].Name
	}
	return [...]string{"503", "429", "reset", "close"}[id-fault503]
}

// needsLife reports whether only a living mirror can have the fault.
func (id faultID) needsLife() bool { return id == faultAiling || id == faultOutages }

// needsMirror reports whether only a generated mirror can have the fault:
// whether it is in what pages say rather than in how they are served.
func (id faultID) needsMirror() bool {
	return id.needsLife() || id == faultNoTitle || id == faultNoDate || id == faultNoCode || id == faultNoCategories
}

// readable reports whether a page with the fault can be read as the post it is,
// if need be at a second request.
func (id faultID) readable() bool {
	switch id {
	case faultCut, faultHuge, faultEmpty, fault500, fault404, faultGone:
		return false
	}
	return true
}

// ParseFaults reads faults as a flag gives them: cut,nodate:0.01.
func ParseFaults(s string) ([]Fault, error) {
	var faults []Fault
	for _, part := range strings.Split(s, ",") {
		name, share, given := strings.Cut(strings.TrimSpace(part), ":")
		if name == "" && !given {
			continue
		}
		f := Fault{Name: name}
		if given {
			x, err := strconv.ParseFloat(share, 64)
			if err != nil || !(x > 0 && x <= 1) {
				return nil, fmt.Errorf("fault %s: share %q is not a number above 0 and up to 1", name, share)
			}
			f.Share = x
		}
		if _, _, err := f.resolve(); err != nil {
			return nil, err
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// resolve checks the fault and fills in its share.
func (f Fault) resolve() (faultID, float64, error) {
	all := Faults()
	i := slices.IndexFunc(all, func(info FaultInfo) bool { return info.Name == f.Name })
	switch {
	case i < 0:
		return 0, 0, fmt.Errorf("fault %q is none of %s", f.Name, strings.Join(faultNames(all), ", "))
	case !(f.Share >= 0 && f.Share <= 1):
		return 0, 0, fmt.Errorf("fault %s: share %v is not between 0 and 1", f.Name, f.Share)
	case all[i].SiteWide && f.Share != 0 && f.Share != 1:
		return 0, 0, fmt.Errorf("fault %s: it hits the whole site and takes no share", f.Name)
	case all[i].SiteWide:
		return faultID(i + 1), 1, nil
	case f.Share == 0:
		return faultID(i + 1), DefaultFaultShare, nil
	}
	return faultID(i + 1), f.Share, nil
}

func faultNames(all []FaultInfo) []string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	return names
}

// faultBook tells which pages have which fault.
type faultBook struct {
	siteWide map[faultID]bool
	posts    []postFault
}

type postFault struct {
	id    faultID
	share float64
}

func newFaultBook(faults []Fault) (*faultBook, error) {
	b := &faultBook{siteWide: map[faultID]bool{}}
	for _, f := range faults {
		id, share, err := f.resolve()
		if err != nil {
			return nil, err
		}
		if Faults()[id-1].SiteWide {
			b.siteWide[id] = true
		} else {
			b.posts = append(b.posts, postFault{id, share})
		}
	}
	return b, nil
}

// choose returns the fault of a post's page: the first, in the order of the
// options, that hits its path.
func (b *faultBook) choose(e *entry, o *outlet) faultID {
	if len(b.posts) == 0 || e.is(shareOnly) {
		return faultNone
	}
	return b.at(string(e.appendPath(nil, o)))
}

// at returns the fault of the page at a path.
func (b *faultBook) at(path string) faultID {
	for _, f := range b.posts {
		if chosen(f.id.name(), path, f.share) {
			return f.id
		}
	}
	return faultNone
}

// everywhere returns the fault of a page that is no post's.
func (b *faultBook) everywhere(address string) faultID {
	for _, f := range b.posts {
		if f.id == faultUnsteady && chosen(f.id.name(), address, f.share) {
			return f.id
		}
	}
	return faultNone
}
