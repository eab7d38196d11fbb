package jekyll

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/finarc/finarc/durable"
)

// skeletonFiles are what a folder with posts lacks to be a site.
//
//go:embed all:skeleton
var skeletonFiles embed.FS

// skeleton writes those of the site's files that are not there.
func (e *exporter) skeleton() error {
	files, err := fs.Sub(skeletonFiles, "skeleton")
	if err != nil {
		return fmt.Errorf("read skeleton: %w", err)
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return e.skeletonFolder(files, name)
	})
}

func (e *exporter) skeletonFolder(files fs.FS, name string) (err error) {
	entries, err := fs.ReadDir(files, name)
	if err != nil {
		return fmt.Errorf("read skeleton: %w", err)
	}
	to := e.top
	if name != "." {
		if to, err = e.top.Sub(name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.closePages(to)) }()
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if err := e.skeletonFile(files, path.Join(name, entry.Name()), to); err != nil {
			return err
		}
	}
	return nil
}

// skeletonFile writes one file, unless there is one: it may have been edited.
func (e *exporter) skeletonFile(files fs.FS, name string, to *durable.Folder) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("read skeleton: %w", err)
	}
	base := path.Base(name)
	if there, err := to.Exists(base); there || err != nil {
		return err
	}
	if base == "_config.yml" {
		data = slices.Concat(data, siteAddress(e.options.Site))
	}
	return e.page(to, base, data)
}

func (e *exporter) page(to *durable.Folder, name string, data []byte) error {
	_, err := to.Put(name, data)
	return err
}

// siteAddress returns the lines of the configuration that tell where the site
// is: feed and sitemap need whole addresses.
func siteAddress(site string) []byte {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" {
		return []byte("url: \"\"\nbaseurl: \"\"\n")
	}
	return fmt.Appendf(nil, "url: %s\nbaseurl: %s\n",
		quoted(u.Scheme+"://"+u.Host), quoted(strings.TrimSuffix(u.EscapedPath(), "/")))
}

// categoryPages writes the page of every category that the posts have.
func (e *exporter) categoryPages() (err error) {
	delete(e.categories, "")
	to, err := e.top.Sub("category")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.closePages(to)) }()
	names := pageNames{}
	if err := to.Names(names.add); err != nil {
		return err
	}
	for _, category := range slices.Sorted(maps.Keys(e.categories)) {
		if err := e.page(to, names.of(category), categoryPage(category, e.categories[category])); err != nil {
			return err
		}
	}
	return nil
}

// pageNames are the names of category pages, by what a file system that does
// not tell letter cases apart takes them for.
type pageNames map[string]string

func (n pageNames) add(name string) error {
	if key := strings.ToLower(name); n[key] == "" {
		n[key] = name
	}
	return nil
}

// of returns the name of a category's page, which no other category has.
func (n pageNames) of(category string) string {
	name := pathName(category) + ".html"
	if taken := n[strings.ToLower(name)]; taken != "" && taken != name {
		name = pathName(category+"/") + ".html"
	}
	_ = n.add(name)
	return name
}

// categoryPage returns the page of one category: its layout lists the posts.
func categoryPage(category, tag string) []byte {
	var b bytes.Buffer
	b.WriteString("---\nlayout: category\n")
	writeLine(&b, "title", quoted(cmp.Or(tag, category)))
	writeLine(&b, "category", quoted(category))
	b.WriteString("---\n")
	return b.Bytes()
}
