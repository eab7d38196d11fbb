package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/finarc/finarc/news"
)

// built is a site that Jekyll built: files below a folder, served as nginx
// does, and the share and text pages of the posts that were found in it.
type built struct {
	files  fs.FS
	faults *faultBook
	posts  []builtPost
	byID   map[news.ID]int
}

// builtPost is a post of a built site and where its page stands.
type builtPost struct {
	news.Post
	path string // decoded: /21caijing/2021/12/22/NW….html
}

// FromDir makes a mirror of a site that Jekyll built in dir. Its posts are the
// pages at /…/yyyy/mm/dd/name.html, read once and kept; their share pages have
// text, as well as their text JSON. Files are served as they are at the time of
// each request.
//
// Of the options, Base, ShareBase, Gzip, Now and Faults count; faults of what
// pages say cannot be had of a built site.
func FromDir(dir string, o Options) (*Mirror, error) {
	o = o.withDefaults()
	b := &built{files: os.DirFS(dir), byID: map[news.ID]int{}}
	err := errors.Join(checkBase(o.Base), checkBase(o.ShareBase))
	if err == nil {
		b.faults, err = builtFaults(o.Faults)
	}
	if err == nil {
		err = b.readPosts(o.Base)
	}
	if err != nil {
		return nil, fmt.Errorf("make mirror of %s: %w", filepath.Clean(dir), err)
	}
	return newMirror(b, o), nil
}

func builtFaults(faults []Fault) (*faultBook, error) {
	for _, f := range faults {
		id, _, err := f.resolve()
		if err == nil && id.needsMirror() {
			return nil, fmt.Errorf("fault %s: only a generated mirror can have it", f.Name)
		}
	}
	return newFaultBook(faults)
}

// find implements site.
func (b *built) find(r request) answer {
	switch r.kind {
	case news.KindShare:
		return b.shared(r, mediaHTML, func(s shared) renderer {
			return func(dst []byte) ([]byte, error) { return appendSharePage(dst, s), nil }
		})
	case news.KindText:
		return b.shared(r, mediaJSON, func(s shared) renderer { return textJSON(s, false) })
	case news.KindHome:
		if b.faults.siteWide[faultDownHome] {
			return b.missing(r)
		}
	}
	return b.file(r)
}

// shared answers for a share or text page.
func (b *built) shared(r request, media string, render func(shared) renderer) answer {
	s := shared{code: r.code("infoCode", "id")}
	if i, ok := b.byID[s.code.ID()]; ok && b.faults.at(b.posts[i].path) != faultGone {
		p := &b.posts[i]
		s = shared{code: p.InfoCode.News(), outlet: p.Outlet, title: p.Title, digest: p.Digest, body: p.Body}
		if !p.Published.IsZero() {
			s.time = p.Published.Format("2006-01-02 15:04:05")
		}
	}
	return answer{status: http.StatusOK, media: media, body: render(s)}
}

// file answers with a file.
func (b *built) file(r request) answer {
	name := strings.TrimPrefix(path.Clean(r.path), "/")
	if strings.HasSuffix(r.path, "/") {
		name = path.Join(name, "index.html")
	}
	info, err := fs.Stat(b.files, name)
	switch {
	case err != nil:
		return b.missing(r)
	case info.IsDir():
		return answer{status: http.StatusMovedPermanently, media: mediaHTML, location: path.Clean(r.path) + "/"}
	}
	fault := b.faultOf(r)
	if fault == fault404 || fault == faultGone {
		return b.missing(r)
	}
	return answer{
		status: http.StatusOK, media: mediaOf(name), fault: fault,
		etag:     fmt.Sprintf(`"%x-%x"`, info.ModTime().Unix(), info.Size()),
		modified: info.ModTime(),
		body:     b.contents(name),
	}
}

func (b *built) faultOf(r request) faultID {
	if r.kind != news.KindPost {
		return faultNone
	}
	return b.faults.at(r.path)
}

func (b *built) contents(name string) renderer {
	return func(dst []byte) ([]byte, error) {
		text, err := fs.ReadFile(b.files, name)
		if err != nil {
			return nil, fmt.Errorf("serve %s: %w", name, err)
		}
		return append(dst, text...), nil
	}
}

// mediaOf returns the media type of a file by its name.
func mediaOf(name string) string {
	if media := mime.TypeByExtension(path.Ext(name)); media != "" {
		return media
	}
	return "application/octet-stream"
}

// missing answers with the site's own page for what is not there, if it has one.
func (b *built) missing(r request) answer {
	a := answer{status: http.StatusNotFound, media: mediaHTML, body: b.contents("404.html")}
	if _, err := fs.Stat(b.files, "404.html"); err != nil {
		a.body = func(dst []byte) ([]byte, error) { return missingPage(dst, r.base), nil }
	}
	return a
}

// len implements site.
func (b *built) len() int { return len(b.posts) }

// post implements site.
func (b *built) post(i int) news.Post { return b.posts[i].Post }

// about implements site.
func (b *built) about(i int) Standing {
	fault := b.faults.at(b.posts[i].path)
	s := Standing{Path: escapePath(b.posts[i].path), Fault: fault.name(), Best: news.KindShare}
	switch {
	case fault.readable():
		s.Best = news.KindPost
	case fault == faultGone || b.posts[i].InfoCode == "":
		s.Best = ""
	}
	return s
}

// readPosts finds the site's posts and reads them, oldest first.
func (b *built) readPosts(base string) error {
	err := fs.WalkDir(b.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || kindOf("/"+name) != news.KindPost {
			return err
		}
		text, err := fs.ReadFile(b.files, name)
		if err != nil {
			return err
		}
		p := builtPost{readBuilt(string(text), "/"+name), "/" + name}
		if p.ID == "" {
			p.ID = pageID(base, escapePath(p.path), p.Published)
		}
		b.posts = append(b.posts, p)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read posts: %w", err)
	}
	b.sort()
	return nil
}
