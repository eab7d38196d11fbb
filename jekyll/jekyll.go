// Package jekyll writes posts as the files from which the mirror is built: one
// Markdown file a post in _posts, with the front matter that the mirror's own
// generator writes, and on request the layouts and list pages around them, so
// that Jekyll 4 builds a site like the mirror. It also reads such files, and
// imports them, with all that the mirror's generator has ever done to them.
//
// A body is HTML, and Jekyll reads it as Markdown, by kramdown, after running
// it through Liquid. What is written here comes out of both with the DOM that
// the body had on the page it came from. The usual body, which is nothing but
// HTML blocks, is written as it is, as the mirror does; any other is protected,
// see [Marshal].
package jekyll

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/finarc/finarc/news"
)

// ErrNoDay is the error of a post of which neither its page nor its identity
// tells the day: Jekyll knows a post by its day.
var ErrNoDay = errors.New("no day is known")

// Options tell what a post that brings no foot of its own, because it was read
// from a share or text page, gets as its foot. What is empty is left out.
type Options struct {
	Site  string // the home page of the mirror's site: https://finews.withounder.com/
	Share string // the address of a shared page, with {infoCode} in the infoCode's place
}

// Marshal returns the file of one revision: front matter, body and foot, in the
// form that the mirror writes today, without a newline at the end.
//
// The front matter invents nothing: a category or tag that is not known has no
// line. Beside the mirror's own keys it has, only where they are needed:
//
//   - date_precision: day, where only the day is known; the time is then 00:00:00;
//   - post_id, the [news.ID] of a post without infoCode, as nothing else tells it;
//   - title_derived: true, where the title was made of the text;
//   - permalink, where the category cannot stand in an address as it is;
//   - render_with_liquid: false, where Liquid would take the text for its own.
//
// The body is written as it is if kramdown keeps it so. Else it stands between
// {::nomarkdown} and {:/nomarkdown}, and if its tags do not match, so that it
// would reach out into the page around it, with the tags that HTML parsers
// (https://html.spec.whatwg.org/#parsing) supply for it.
//
// A revision that was itself read from such a file is that file, byte for byte,
// if Jekyll makes of it what was meant. Else it gets a new front matter, and of
// the text below it only what is wrong changes.
//
// The errors are [ErrNoDay] and bodies that no parser takes.
func Marshal(rev *news.Revision, o Options) ([]byte, error) {
	data, _, err := marshal(rev, o)
	return data, err
}

// marshal is Marshal, and tells what was wrong with the file that the revision
// was read from.
func marshal(rev *news.Revision, o Options) (data []byte, mended []string, err error) {
	if rev.Lost {
		return nil, nil, fmt.Errorf("post %s: its page was lost, and with it the text", rev.ID)
	}
	if _, err := day(rev); err != nil {
		return nil, nil, err
	}
	var text string
	if rev.File != nil {
		s, faults, err := mend(rev, o)
		if err != nil {
			return nil, nil, fmt.Errorf("post %s: %w", rev.ID, err)
		}
		if !slices.ContainsFunc(faults, func(f string) bool { return f != FaultName }) {
			return rev.File, faults, nil
		}
		text, mended = s, faults
	} else if text, err = content(rev, o); err != nil {
		return nil, nil, fmt.Errorf("post %s: %w", rev.ID, err)
	}
	var b bytes.Buffer
	b.Grow(len(text) + 512)
	writeFrontMatter(&b, rev, hasLiquid(text))
	b.WriteString(text)
	return b.Bytes(), mended, nil
}

// content returns what stands below the front matter.
func content(rev *news.Revision, o Options) (string, error) {
	body, err := protect(rev.Body)
	if err != nil {
		return "", fmt.Errorf("body: %w", err)
	}
	foot := rev.Foot
	if strings.TrimSpace(foot) == "" {
		foot = makeFoot(rev, o)
	}
	below, err := footText(foot)
	if err != nil {
		return "", fmt.Errorf("foot: %w", err)
	}
	if below == "" {
		return body, nil
	}
	return body + "\n\n" + below, nil
}

// hasLiquid reports whether Liquid finds a tag or an output in text, as
// Jekyll's Utils.has_liquid_construct? judges it.
func hasLiquid(text string) bool {
	return strings.Contains(text, "{{") || strings.Contains(text, "{%")
}

// day returns the post's day, which has to have a year of four digits.
func day(rev *news.Revision) (news.Day, error) {
	d := rev.Day()
	if d < 10000101 || d > 99991231 {
		return 0, fmt.Errorf("post %s: %w", rev.ID, ErrNoDay)
	}
	return d, nil
}
