package jekyll

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// Lengths of names in bytes. Common file systems take 255; what a temporary
// name or Jekyll adds has to fit in as well.
const (
	maxName = 180
	maxSlug = maxName - len("2021-12-22-.md")
)

// rollingNews is the category whose files go without the infoCode's letters.
const rollingNews = "emnews"

// FileName returns the name of a post's file in _posts: its day, a hyphen, the
// slug and .md, as 2021-12-22-NW202112222222306968.md. The slug is the one in
// the post's address on the site; where it has none, the infoCode, without its
// letters for rolling news; and for want of both the ID.
//
// A post that was read from such a file keeps the file's name, if that is one,
// and tells no other post's infoCode.
//
// A name holds only letters, marks and digits, and of the rest what Jekyll
// leaves alone in addresses; it is at most 180 bytes long. The error is
// [ErrNoDay].
func FileName(rev *news.Revision) (string, error) {
	d, err := day(rev)
	if err != nil {
		return "", err
	}
	if name := nameOf(rev.URL); name != "" && keepsName(rev, name) {
		return name, nil
	}
	return fileName(d, slug(rev)), nil
}

// keepsName reports whether a post can have the name of the file that it was
// read from.
func keepsName(rev *news.Revision, name string) bool {
	_, slug, ok := cutName(name)
	code, found := news.FindInfoCode(slug)
	return ok && slug == safeSlug(slug, maxSlug) && (!found || code.ID() == rev.ID)
}

func fileName(d news.Day, slug string) string { return d.String() + "-" + slug + ".md" }

// slug returns the first of the post's possible slugs that can be a name, and
// still tells the infoCode if it did.
func slug(rev *news.Revision) string {
	for _, s := range []string{permalinkSlug(rev), ownSlug(rev), codeSlug(rev), string(rev.ID)} {
		safe := safeSlug(s, maxSlug)
		if code, ok := news.FindInfoCode(s); ok {
			if kept, _ := news.FindInfoCode(safe); kept.ID() != code.ID() {
				continue
			}
		}
		if safe != "" {
			return safe
		}
	}
	return "post"
}

// permalinkSlug returns the slug of the post's address, if that is one of the
// site's permalinks, /…/2021/12/22/slug.html, and names this post.
func permalinkSlug(rev *news.Revision) string {
	u, err := url.Parse(rev.URL)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Path, "/") // unescaped; a slash from %2F only makes it no permalink
	n := len(parts)
	if n < 4 || !allDigits(parts[n-4], 4) || !allDigits(parts[n-3], 2) || !allDigits(parts[n-2], 2) {
		return ""
	}
	slug, ok := strings.CutSuffix(parts[n-1], ".html")
	if code, found := news.FindInfoCode(slug); !ok || rev.InfoCode != "" && (!found || code.ID() != rev.ID) {
		return ""
	}
	return slug
}

// ownSlug returns what can be kept of the name of the file that the post was
// read from.
func ownSlug(rev *news.Revision) string {
	_, slug, _ := cutName(nameOf(rev.URL))
	if code, found := news.FindInfoCode(slug); found && code.ID() != rev.ID {
		return ""
	}
	return slug
}

func allDigits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func codeSlug(rev *news.Revision) string {
	if rev.Category == rollingNews {
		return rev.InfoCode.Digits()
	}
	return string(rev.InfoCode)
}

// safeSlug returns s with everything that Jekyll would replace in an address
// (Utils.slugify, mode pretty) replaced by hyphens already, so that different
// files have different addresses, and cut to most bytes.
func safeSlug(s string, most int) string {
	var b strings.Builder
	last := '-'
	for _, r := range s {
		if !isSlugRune(r) || r == '.' && last == '.' { // Jekyll drops double dots from addresses
			r = '-'
		}
		if r != '-' || last != '-' {
			b.WriteRune(r)
		}
		last = r
	}
	return strings.Trim(cut(strings.TrimLeft(b.String(), trimmed), most), trimmed)
}

// trimmed are the characters that no slug begins or ends with: they would hide
// the file, look like an option, or get lost.
const trimmed = "-._~"

func isSlugRune(r rune) bool {
	return r != unicode.ReplacementChar &&
		(unicode.In(r, unicode.L, unicode.M, unicode.Nd) || strings.ContainsRune("._~!$&'()+,;=@", r))
}

// cut returns at most the first most bytes of s, in whole characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// distinct returns the file name of a post whose own is taken by another post.
func distinct(d news.Day, rev *news.Revision) string {
	id := safeSlug(string(rev.ID), maxSlug/2)
	return fileName(d, safeSlug(cut(slug(rev), maxSlug-len(id)-1)+"-"+id, maxSlug))
}

// pathName returns s as the name of one file or folder, without suffix. What
// has to be changed for that gets a mark made from s, so that different texts
// keep different names.
func pathName(s string) string {
	if isPathName(s) {
		return s
	}
	mark := fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:8]
	if safe := strings.ReplaceAll(safeSlug(s, maxName/2), ".", "-"); safe != "" {
		return safe + "-" + mark
	}
	return mark
}

// isPathName reports whether s is a file's name on all systems, is not hidden,
// and means nothing else to Jekyll or in an address.
func isPathName(s string) bool {
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|%#`, r) {
			return false
		}
	}
	return s != "" && !strings.Contains(s, "..") && len(s) <= maxName-len(".html") && !strings.ContainsRune("-._~ ", rune(s[0])) &&
		!strings.ContainsRune(".~ ", rune(s[len(s)-1])) && !isDevice(s)
}

// isDevice reports whether Windows takes the name for a device's.
func isDevice(s string) bool {
	base, _, _ := strings.Cut(strings.ToLower(s), ".")
	switch base = strings.TrimRight(base, " "); base {
	case "con", "prn", "aux", "nul", "conin$", "conout$":
		return true
	}
	r, _ := strings.CutPrefix(base, "com")
	l, _ := strings.CutPrefix(base, "lpt")
	return isDeviceNumber(base, r) || isDeviceNumber(base, l)
}

func isDeviceNumber(base, rest string) bool {
	return rest != base && utf8.RuneCountInString(rest) == 1 && strings.ContainsAny(rest, "0123456789¹²³")
}

// permalink returns the template of the post's address, if the one that Jekyll
// makes of its categories would not do: "" if it would.
func permalink(rev *news.Revision) string {
	segments := rev.Categories()
	safe := len(rev.Category) <= maxName
	for i, s := range segments {
		segments[i] = strings.ToLower(s)
		safe = safe && isPathName(segments[i])
	}
	if safe {
		return ""
	}
	return "/" + pathName(strings.Join(segments, "/")) + "/:year/:month/:day/:title.html"
}
